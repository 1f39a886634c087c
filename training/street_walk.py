"""A walk past the pictures: points at even distances along streets near Campus De Nayer.

The loop of some 1.5 km is made up: it starts at KU Leuven's Campus De Nayer in
Sint-Katelijne-Waver and turns as streets there might. Nobody took a picture on it.
"""

import math
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np
from PIL.Image import Exif
from PIL.TiffImagePlugin import IFDRational

CORNERS = ((51.06961, 4.49848), (51.06889, 4.50014), (51.06803, 4.50219), (51.06700, 4.50448),
           (51.06617, 4.50362), (51.06518, 4.50229), (51.06556, 4.50022), (51.06644, 4.49822),
           (51.06747, 4.49629), (51.06867, 4.49693), (51.06945, 4.49788))
METRES_PER_DEGREE = 111_195.0  # of latitude, on a sphere of 6371 km
START = datetime(2025, 10, 14, 9, 12, 30)
PACE = 1.25  # metres a second, with a stop for each picture


def walk(count, seed):
    """`count` stops: dicts of latitude, longitude, altitude, heading, dop, error and time."""
    rng = np.random.default_rng(seed)
    scale = np.array([METRES_PER_DEGREE,
                      METRES_PER_DEGREE * math.cos(math.radians(CORNERS[0][0]))])
    path = np.array(CORNERS) * scale
    legs = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0], np.cumsum(legs)])
    stops, elapsed = [], 0.0
    for i in range(count):
        at = along[-1] * (i + 0.5) / count
        leg = min(int(np.searchsorted(along, at, "right")) - 1, len(legs) - 1)
        step = (path[leg + 1] - path[leg]) / legs[leg]
        error = float(rng.uniform(2.5, 8.0))
        spot = path[leg] + step * (at - along[leg]) + rng.normal(0, 0.3 * error, 2)
        latitude, longitude = spot / scale
        heading = math.degrees(math.atan2(step[1], step[0])) + rng.normal(0, 12)
        elapsed += along[-1] / count / PACE + float(rng.uniform(4, 14))
        stops.append({"latitude": float(latitude), "longitude": float(longitude),
                      "altitude": float(9 + 1.2 * math.sin(at / 260) + rng.normal(0, 0.4)),
                      "heading": heading % 360, "dop": float(rng.uniform(0.8, 2.4)),
                      "error": error, "time": START + timedelta(seconds=int(elapsed))})
    return stops


def _rational(value, denominator):
    return IFDRational(Fraction(round(value * denominator), denominator))


def _degrees(value):
    value = abs(value)
    whole = int(value)
    minutes = (value - whole) * 60
    return (IFDRational(whole, 1), IFDRational(int(minutes), 1),
            _rational((minutes - int(minutes)) * 60, 10_000))


def exif(stop):
    """EXIF with position, its accuracy, direction and time, as a phone would write it."""
    tags = Exif()
    tags[0x010E] = "Rendered street scene, not a photograph"
    tags[0x0110] = "street-scene renderer"
    tags[0x0112] = 1
    stamp = stop["time"].strftime("%Y:%m:%d %H:%M:%S")
    tags[0x0132] = stamp
    tags[0x8769] = {0x9003: stamp, 0x9011: "+02:00"}
    utc = stop["time"] - timedelta(hours=2)
    gps = {}
    gps[0] = b"\x02\x03\x00\x00"
    gps[1] = "N" if stop["latitude"] >= 0 else "S"
    gps[2] = _degrees(stop["latitude"])
    gps[3] = "E" if stop["longitude"] >= 0 else "W"
    gps[4] = _degrees(stop["longitude"])
    gps[5] = b"\x00"
    gps[6] = _rational(stop["altitude"], 100)
    gps[7] = tuple(IFDRational(v, 1) for v in (utc.hour, utc.minute, utc.second))
    gps[11] = _rational(stop["dop"], 100)
    gps[16] = "T"
    gps[17] = _rational(stop["heading"], 100)
    gps[29] = utc.strftime("%Y:%m:%d")
    gps[31] = _rational(stop["error"], 100)
    tags[0x8825] = gps
    return tags
