"""Non-negative least squares (Lawson & Hanson 1974, chapter 23) on a handful of unknowns."""


def solve(matrix, right):
    """Gaussian elimination with partial pivoting; None when singular."""
    n = len(right)
    rows = [list(row) + [value] for row, value in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        if abs(rows[pivot][i]) < 1e-14:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, n):
            factor = rows[r][i] / rows[i][i]
            for c in range(i, n + 1):
                rows[r][c] -= factor * rows[i][c]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - sum(rows[i][c] * x[c] for c in range(i + 1, n))) / rows[i][i]
    return x


def nnls(rows, targets):
    """x >= 0 that minimises |rows x - targets|."""
    n = len(rows[0])
    scale = [max(1e-12, max(abs(row[j]) for row in rows)) for j in range(n)]
    rows = [[row[j] / scale[j] for j in range(n)] for row in rows]
    gram = [[sum(r[i] * r[j] for r in rows) for j in range(n)] for i in range(n)]
    moment = [sum(r[i] * t for r, t in zip(rows, targets)) for i in range(n)]
    x, free = [0.0] * n, set()
    for _ in range(10 * n):
        gradient = [moment[i] - sum(gram[i][j] * x[j] for j in range(n)) for i in range(n)]
        rising = [i for i in range(n) if i not in free and gradient[i] > 1e-10]
        if not rising:
            break
        free.add(max(rising, key=lambda i: gradient[i]))
        while free:
            order = sorted(free)
            found = solve([[gram[i][j] for j in order] for i in order], [moment[i] for i in order])
            if found is None:
                free.discard(order[-1])
                break
            wanted = dict(zip(order, found))
            if min(found) > 1e-12:
                x = [wanted.get(i, 0.0) for i in range(n)]
                break
            step = min(x[i] / (x[i] - v) for i, v in wanted.items() if v <= 1e-12)
            x = [x[i] + step * (wanted.get(i, 0.0) - x[i]) for i in range(n)]
            free = {i for i in free if x[i] > 1e-12}
    return [value / s for value, s in zip(x, scale)]
