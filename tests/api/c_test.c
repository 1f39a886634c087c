/* The border to C: what a program in C, or one that calls C, may do and get wrong. Compiled as C11, pedantic. */
#include <fogline/fogline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed = 0;
#define EXPECT(condition) \
  ((condition) ? 0 : (failed = 1, fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, fogline_last_error())))

static void nulls(const fogline_model* model) {
  fogline_model* loaded = NULL;
  fogline_piece* piece = NULL;
  fogline_tensor tensor = {1, 1, {4}, NULL, 16};
  size_t count = 0;
  fogline_cut cut;
  char* json = NULL;
  const char* one_null[] = {NULL};
  EXPECT(fogline_model_load(NULL, &loaded) == FOGLINE_USAGE);
  EXPECT(strstr(fogline_last_error(), "null") != NULL);
  EXPECT(fogline_model_load("a.onnx", NULL) == FOGLINE_USAGE);
  EXPECT(fogline_model_cut_count(NULL, &count) == FOGLINE_USAGE);
  EXPECT(fogline_model_cut(NULL, 0, &cut) == FOGLINE_USAGE);
  EXPECT(fogline_model_cut(model, 100000, &cut) == FOGLINE_NOT_FOUND);
  EXPECT(fogline_model_split(model, NULL, &piece, &piece) == FOGLINE_USAGE);
  EXPECT(fogline_model_piece(model, one_null, 1, NULL, 0, &piece) == FOGLINE_USAGE);
  EXPECT(fogline_model_piece(model, NULL, 1, NULL, 0, &piece) == FOGLINE_USAGE);
  EXPECT(fogline_session_open(NULL, 1, NULL) == FOGLINE_USAGE);
  EXPECT(fogline_session_input(NULL, 0) == NULL);
  EXPECT(fogline_codec_make("f32", &tensor, NULL) == FOGLINE_USAGE);
  EXPECT(fogline_plan(model, NULL, &json) == FOGLINE_USAGE);
  EXPECT(fogline_plan_fleet(NULL, &json) == FOGLINE_USAGE);
  EXPECT(fogline_tensors_count(NULL) == 0 && fogline_buffer_data(NULL) == NULL);
  fogline_model_free(NULL);
  fogline_piece_free(NULL);
  fogline_tensors_free(NULL);
  fogline_session_free(NULL);
  fogline_codec_free(NULL);
  fogline_buffer_free(NULL);
  fogline_text_free(NULL);
}

static void wrong_tensors(const fogline_session* session) {
  fogline_tensors* outputs = NULL;
  static float data[3 * 160 * 160];
  const fogline_tensor right = {1, 4, {1, 3, 160, 160}, data, sizeof data};
  fogline_tensor wrong = right;
  wrong.dtype = 11;
  EXPECT(fogline_session_run(session, &wrong, 1, &outputs) == FOGLINE_INVALID);
  wrong = right;
  wrong.dtype = -3;
  EXPECT(fogline_session_run(session, &wrong, 1, &outputs) == FOGLINE_USAGE);
  wrong = right;
  wrong.rank = 9;
  EXPECT(fogline_session_run(session, &wrong, 1, &outputs) == FOGLINE_USAGE);
  wrong = right;
  wrong.rank = -1;
  EXPECT(fogline_session_run(session, &wrong, 1, &outputs) == FOGLINE_USAGE);
  wrong = right;
  wrong.bytes -= 1;
  EXPECT(fogline_session_run(session, &wrong, 1, &outputs) == FOGLINE_INVALID);
  wrong = right;
  wrong.data = NULL;
  EXPECT(fogline_session_run(session, &wrong, 1, &outputs) == FOGLINE_USAGE);
  wrong = right;
  wrong.shape[2] = -160;
  EXPECT(fogline_session_run(session, &wrong, 1, &outputs) == FOGLINE_INVALID);
  wrong = right;
  wrong.shape[0] = INT64_MAX;
  EXPECT(fogline_session_run(session, &wrong, 1, &outputs) == FOGLINE_INVALID);
  EXPECT(fogline_session_run(session, NULL, 1, &outputs) == FOGLINE_USAGE);
  EXPECT(fogline_session_run(session, NULL, 0, &outputs) == FOGLINE_INVALID);
  EXPECT(outputs == NULL);
}

static void halves(const fogline_model* model) {
  fogline_piece *edge = NULL, *cloud = NULL;
  fogline_session *first = NULL, *second = NULL;
  fogline_tensors *crossing = NULL, *outputs = NULL, *back = NULL;
  fogline_tensor tensor, decoded;
  fogline_codec* codec = NULL;
  fogline_buffer* code = NULL;
  const void* bytes = NULL;
  size_t count = 0;
  static float picture[3 * 160 * 160];
  const fogline_tensor input = {1, 4, {1, 3, 160, 160}, picture, sizeof picture};
  EXPECT(fogline_model_split(model, "0", &edge, &cloud) == FOGLINE_USAGE);
  EXPECT(fogline_model_split(model, "nowhere", &edge, &cloud) == FOGLINE_NOT_FOUND);
  EXPECT(edge == NULL && cloud == NULL);
  EXPECT(fogline_model_split(model, "split10", &edge, &cloud) == FOGLINE_OK);
  EXPECT(fogline_piece_bytes(edge, &bytes, &count) == FOGLINE_OK && count > 1000);
  EXPECT(fogline_piece_write(edge, "/nowhere/at/all.onnx") != FOGLINE_OK);
  EXPECT(fogline_session_open(edge, 1, &first) == FOGLINE_OK);
  EXPECT(fogline_session_open(cloud, -1, &second) == FOGLINE_USAGE);
  EXPECT(fogline_session_open(cloud, 1, &second) == FOGLINE_OK);
  EXPECT(strcmp(fogline_session_input(first, 0), "image") == 0);
  EXPECT(fogline_session_input(first, 1) == NULL);
  wrong_tensors(first);
  EXPECT(fogline_session_run(first, &input, 1, &crossing) == FOGLINE_OK);
  EXPECT(fogline_tensors_get(crossing, 1, &tensor) == FOGLINE_NOT_FOUND);
  EXPECT(fogline_tensors_get(crossing, 0, &tensor) == FOGLINE_OK && tensor.dtype == 1);
  EXPECT(fogline_session_run(second, &tensor, 1, &outputs) == FOGLINE_OK);
  EXPECT(fogline_tensors_count(outputs) == 1);

  EXPECT(fogline_codec_make("q4", &tensor, &codec) == FOGLINE_USAGE);
  EXPECT(fogline_codec_make("f99", &tensor, &codec) == FOGLINE_USAGE);
  EXPECT(fogline_codec_make("f16", &tensor, &codec) == FOGLINE_OK);
  EXPECT(fogline_codec_encode(codec, &input, &code) == FOGLINE_INVALID);
  EXPECT(fogline_codec_encode(codec, &tensor, &code) == FOGLINE_OK);
  EXPECT(fogline_buffer_bytes(code) * 2 == tensor.bytes);
  EXPECT(fogline_codec_decode(codec, fogline_buffer_data(code), 3, &back) == FOGLINE_INVALID);
  EXPECT(fogline_codec_decode(codec, NULL, 3, &back) == FOGLINE_USAGE);
  EXPECT(fogline_codec_decode(codec, fogline_buffer_data(code), fogline_buffer_bytes(code), &back) == FOGLINE_OK);
  EXPECT(fogline_tensors_get(back, 0, &decoded) == FOGLINE_OK && decoded.bytes == tensor.bytes);
  fogline_tensors_free(back);
  fogline_buffer_free(code);
  fogline_codec_free(codec);
  fogline_tensors_free(outputs);
  fogline_tensors_free(crossing);
  fogline_session_free(second);
  fogline_session_free(first);
  fogline_piece_free(cloud);
  fogline_piece_free(edge);
}

static void plans(const fogline_model* model, const char* bundle) {
  fogline_plan_request request = {0};
  fogline_codec* codec = NULL;
  char* json = NULL;
  EXPECT(fogline_plan(model, &request, &json) == FOGLINE_USAGE);
  request.edge = "raspberry-pi-3b-plus";
  request.cloud = "t2.micro";
  request.link = "4g";
  EXPECT(fogline_plan(model, &request, &json) == FOGLINE_OK && json[0] == '{');
  fogline_text_free(json);
  json = NULL;
  request.max_latency_ms = 1e-6;
  EXPECT(fogline_plan(model, &request, &json) == FOGLINE_CONFLICT && json == NULL);
  EXPECT(fogline_plan_fleet("/nowhere.toml", &json) == FOGLINE_NOT_FOUND);
  EXPECT(fogline_codec_make_calibrated("q4", model, "split13", 0, bundle, &codec) == FOGLINE_OK);
  fogline_codec_free(codec);
  EXPECT(fogline_codec_make_calibrated("q4", model, "split13", 9, bundle, &codec) == FOGLINE_USAGE);
}

int main(int argc, char** argv) {
  fogline_model* model = NULL;
  fogline_cut cut;
  size_t count = 0;
  if (argc != 3) return 2;
  EXPECT(fogline_model_load("/nowhere/a.onnx", &model) == FOGLINE_NOT_FOUND);
  EXPECT(strstr(fogline_last_error(), "/nowhere/a.onnx") != NULL);
  EXPECT(fogline_model_load(argv[2], &model) == FOGLINE_INVALID && model == NULL);
  EXPECT(fogline_model_load(argv[1], &model) == FOGLINE_OK);
  if (model == NULL) return 1;
  EXPECT(fogline_model_cut_count(model, &count) == FOGLINE_OK && count > 10);
  EXPECT(fogline_model_cut(model, count - 1, &cut) == FOGLINE_OK && cut.mechanism == 0 && cut.cloud_madds == 0);
  nulls(model);
  halves(model);
  plans(model, argv[2]);
  fogline_model_free(model);
  return failed;
}
