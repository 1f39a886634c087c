#include "store/postgres_views.h"

namespace fogline {

std::string PostgresViews() {
  return R"sql(
CREATE VIEW fogline.detections AS
SELECT d.id, device.text AS device, to_hex(d.run) AS run, d.sequence,
  CASE WHEN d.captured_from <> 0 THEN to_timestamp(d.captured_us / 1e6) END AS captured,
  (ARRAY['none', 'file', 'assumed', 'offset', 'gps', 'clock'])[d.captured_from + 1]
    AS captured_from,
  to_timestamp(d.stored_us / 1e6) AS stored, d.lat, d.lon, d.accuracy_m, d.heading_deg,
  label.text AS label, d.score, d.positive, mechanism.text AS mechanism, cut.text AS cut,
  codec.text AS codec, d.payload_bytes, model.text AS model, d.thumbnail AS has_picture,
  (SELECT count(*) FROM fogline.box b WHERE b.id = d.id) AS boxes,
  d.read_ms, d.resize_ms, d.prefix_ms, d.encode_ms, d.window_ms, d.network_ms, d.queue_ms,
  d.decode_ms, d.suffix_ms, d.store_ms
FROM fogline.detection d
JOIN fogline.word device ON device.id = d.device
JOIN fogline.word label ON label.id = d.label
JOIN fogline.word mechanism ON mechanism.id = d.mechanism
JOIN fogline.word cut ON cut.id = d.cut
JOIN fogline.word codec ON codec.id = d.codec
JOIN fogline.word model ON model.id = d.model;

CREATE VIEW fogline.positives AS SELECT * FROM fogline.detections WHERE positive;

CREATE VIEW fogline.devices AS
SELECT w.text AS device, t.count AS detections, t.positives, t.payload_bytes,
  CASE WHEN t.first_us <= t.last_us THEN to_timestamp(t.first_us / 1e6) END AS first_captured,
  CASE WHEN t.first_us <= t.last_us THEN to_timestamp(t.last_us / 1e6) END AS last_captured
FROM fogline.tally t JOIN fogline.word w ON w.id = t.word WHERE t.kind = 0;

CREATE VIEW fogline.daily AS
SELECT (to_timestamp(d.captured_us / 1e6) AT TIME ZONE 'UTC')::date AS day, w.text AS label,
  count(*) AS detections, count(*) FILTER (WHERE d.positive) AS positives,
  count(DISTINCT d.device) AS devices, sum(d.payload_bytes)::bigint AS payload_bytes
FROM fogline.detection d JOIN fogline.word w ON w.id = d.label
WHERE d.captured_from <> 0 GROUP BY 1, 2;
)sql";
}

std::string PostgresPlaces() {
  return R"sql(
CREATE INDEX detection_geometry ON fogline.detection
  USING gist (ST_SetSRID(ST_MakePoint(lon, lat), 4326)) WHERE lat IS NOT NULL;
CREATE VIEW fogline.places AS
SELECT v.*, ST_SetSRID(ST_MakePoint(v.lon, v.lat), 4326)::geometry(Point, 4326) AS geom
FROM fogline.detections v WHERE v.lat IS NOT NULL;
)sql";
}

}  // namespace fogline
