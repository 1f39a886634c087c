#include "learn/logistic.h"

#include <LBFGS.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace fogline {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

constexpr Eigen::Index kBlock = 256;  // rows turned to double at a time

/// The objective over x = (V row by row, b), on plain features: standardising happens to the
/// parameters, so that folds share one table of rows.
class Objective {
 public:
  explicit Objective(const LogisticRows& rows)
      : rows_(rows),
        width_(static_cast<Eigen::Index>(rows.width)),
        classes_(rows.classes),
        total_(0) {
    for (size_t i = 0; i < rows.labels.size(); ++i) {
      if (rows.weights[i] <= 0) continue;
      kept_.push_back(i);
      total_ += rows.weights[i];
    }
  }

  bool empty() const { return kept_.empty(); }
  Eigen::Index size() const { return classes_ * (width_ + 1); }

  void Standardise() {
    mean_ = Vector::Zero(width_);
    Vector square = Vector::Zero(width_);
    for (const size_t i : kept_) mean_ += rows_.weights[i] / total_ * Row(i);
    for (const size_t i : kept_) {
      square += rows_.weights[i] / total_ * (Row(i) - mean_).array().square().matrix();
    }
    inverse_ = square.array().sqrt().matrix();
    // Rounding is as large as a feature is, or as features are: one near zero has no more to say.
    const double usual =
        std::sqrt((mean_.squaredNorm() + square.sum()) / static_cast<double>(width_)) + 1e-30;
    for (Eigen::Index f = 0; f < width_; ++f) {
      const double noise = 1e-7 * std::max(std::abs(mean_[f]), usual);
      inverse_[f] = inverse_[f] > noise ? 1 / inverse_[f] : 0;
    }
  }

  void set_lambda(double lambda) {
    lambda_ = lambda;
    best_value_ = std::numeric_limits<double>::infinity();
  }
  const Vector& best() const { return best_; }

  /// What LBFGS++ calls: the value, and the gradient into `gradient`.
  double operator()(const Vector& x, Vector& gradient) {
    const Eigen::Map<const Matrix> v(x.data(), classes_, width_);
    const Eigen::Map<const Vector> b(x.data() + classes_ * width_, classes_);
    const Matrix w = v * inverse_.asDiagonal();
    const Vector c = b - w * mean_;
    Matrix gradient_w = Matrix::Zero(classes_, width_);
    Vector gradient_c = Vector::Zero(classes_);
    double loss = 0;
    Matrix block(kBlock, width_), logits;
    for (size_t from = 0; from < kept_.size(); from += kBlock) {
      const auto count = static_cast<Eigen::Index>(std::min<size_t>(kBlock, kept_.size() - from));
      for (Eigen::Index r = 0; r < count; ++r) block.row(r) = Row(kept_[from + r]);
      logits.noalias() = block.topRows(count) * w.transpose();
      logits.rowwise() += c.transpose();
      for (Eigen::Index r = 0; r < count; ++r) {
        const size_t row = kept_[from + r];
        loss += ToResidual(rows_.labels[row], rows_.weights[row] / total_, logits.row(r));
      }
      gradient_w.noalias() += logits.transpose() * block.topRows(count);
      gradient_c += logits.colwise().sum().transpose();
    }
    gradient.resize(x.size());
    Eigen::Map<Matrix> gradient_v(gradient.data(), classes_, width_);
    gradient_v = (gradient_w - gradient_c * mean_.transpose()) * inverse_.asDiagonal();
    gradient_v += lambda_ * v;
    gradient.tail(classes_) = gradient_c;
    const double value = loss + lambda_ / 2 * v.squaredNorm();
    if (value < best_value_) {
      best_value_ = value;
      best_ = x;
    }
    return value;
  }

  LinearHead Fold(const Vector& x) const {
    const Eigen::Map<const Matrix> v(x.data(), classes_, width_);
    const Matrix w = v * inverse_.asDiagonal();
    const Vector c = x.tail(classes_) - w * mean_;
    LinearHead head{classes_, width_, {}, {}};
    head.weights.assign(w.data(), w.data() + w.size());
    head.bias.assign(c.data(), c.data() + c.size());
    return head;
  }

 private:
  Vector Row(size_t i) const {
    return Eigen::Map<const Eigen::VectorXf>(rows_.values.data() + i * rows_.width, width_)
        .cast<double>();
  }

  /// Turns one row's logits into weight · (probability − truth); gives its weighted loss.
  template <typename LogitRow>
  static double ToResidual(int label, double weight, LogitRow&& z) {
    const double top = z.maxCoeff();
    const double truth = z[label];
    z = (z.array() - top).exp().matrix();
    const double sum = z.sum();
    z *= weight / sum;
    z[label] -= weight;
    return weight * (top + std::log(sum) - truth);
  }

  const LogisticRows& rows_;
  const Eigen::Index width_;
  const int classes_;
  double total_;
  double lambda_ = 0;
  std::vector<size_t> kept_;
  Vector mean_, inverse_;
  double best_value_ = 0;
  Vector best_;
};

}  // namespace

Result<std::vector<LinearHead>> FitLogistic(const LogisticRows& rows,
                                            const std::vector<double>& lambdas) {
  Objective objective(rows);
  if (objective.empty()) return Fail(ErrorCode::kInvalid, "", "no pictures to fit a head to");
  objective.Standardise();
  LBFGSpp::LBFGSParam<double> param;
  param.m = 10;
  param.epsilon = 1e-6;
  param.epsilon_rel = 1e-5;
  param.past = 3;
  param.delta = 1e-8;
  param.max_iterations = 500;
  param.linesearch = LBFGSpp::LBFGS_LINESEARCH_BACKTRACKING_STRONG_WOLFE;
  std::vector<LinearHead> heads;
  Vector x = Vector::Zero(objective.size());
  for (const double lambda : lambdas) {
    objective.set_lambda(lambda);
    try {
      LBFGSpp::LBFGSSolver<double> solver(param);
      double value = 0;
      solver.minimize(objective, x, value);
    } catch (const std::exception&) {
      // The line search gives up when rounding is all that is left to gain: the best point seen is
      // the minimum as far as double precision goes.
    }
    x = objective.best();
    if (x.size() == 0 || !x.allFinite()) {
      return Fail(ErrorCode::kInternal, "", "the head cannot be fitted: the loss is not finite");
    }
    heads.push_back(objective.Fold(x));
  }
  return heads;
}

std::vector<double> Probabilities(const LinearHead& head, std::span<const float> features) {
  std::vector<double> values(head.bias.begin(), head.bias.end());
  for (size_t c = 0; c < values.size(); ++c) {
    const float* w = head.weights.data() + c * features.size();
    for (size_t f = 0; f < features.size(); ++f) {
      values[c] += static_cast<double>(w[f]) * static_cast<double>(features[f]);
    }
  }
  Softmax(values);
  return values;
}

void Softmax(std::span<double> values) {
  const double top = *std::ranges::max_element(values);
  double sum = 0;
  for (double& v : values) sum += v = std::exp(v - top);
  for (double& v : values) v /= sum;
}

}  // namespace fogline
