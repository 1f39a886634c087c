// What a PostgreSQL store shows to those who write SQL.
#pragma once

#include <string>

namespace fogline {

/// Views that stand on any PostgreSQL: detections, positives, devices, daily.
std::string PostgresViews();
/// What needs PostGIS: the view `places`, detections with a geometry in WGS 84, and its index.
std::string PostgresPlaces();

}  // namespace fogline
