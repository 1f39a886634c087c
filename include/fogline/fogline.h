/* The library for C, and for languages that call C.
 *
 * Every function that can fail gives 0, or a code below and a line in fogline_last_error(). Nothing
 * is thrown, whatever is passed: null where something is needed is FOGLINE_USAGE. What a function
 * hands out by its last argument is the caller's, until it is given to the _free of its kind, which
 * takes null as well. Texts are UTF-8. What is said of threads in the C++ headers holds here.
 */
#ifndef FOGLINE_FOGLINE_H
#define FOGLINE_FOGLINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FOGLINE_C __attribute__((visibility("default")))

enum {
  FOGLINE_OK = 0,
  FOGLINE_USAGE = 1, /* asked for something that cannot be asked */
  FOGLINE_NOT_FOUND = 2,
  FOGLINE_INVALID = 3,     /* data that is not what it claims to be */
  FOGLINE_UNSUPPORTED = 4, /* valid, but beyond what Fogline or the engine can do */
  FOGLINE_UNAVAILABLE = 5,
  FOGLINE_EXHAUSTED = 6, /* disk, memory, a limit */
  FOGLINE_CONFLICT = 7,  /* two things that do not belong together; limits that cannot be met */
  FOGLINE_CANCELLED = 8,
  FOGLINE_INTERNAL = 9 /* a promise of the library that did not hold */
};

/* "0.1.0". */
FOGLINE_C const char* fogline_version(void);
/* One line of the last failure in this thread, until the next one; "" where there was none. */
FOGLINE_C const char* fogline_last_error(void);

/* ---- Tensors ------------------------------------------------------------------------------- */

#define FOGLINE_MAX_RANK 8

/* Dense and row-major. dtype as ONNX numbers them: 1 float32, 2 uint8, 7 int64, 10 float16 … */
typedef struct fogline_tensor {
  int32_t dtype;
  int32_t rank;
  int64_t shape[FOGLINE_MAX_RANK];
  const void* data;
  size_t bytes;
} fogline_tensor;

/* ---- Models and cuts ----------------------------------------------------------------------- */

typedef struct fogline_model fogline_model;
FOGLINE_C int fogline_model_load(const char* path, fogline_model** model);
FOGLINE_C void fogline_model_free(fogline_model* model);

typedef struct fogline_cut {
  const char* name;  /* lives as long as the model */
  const char* alias; /* "split13", or "" */
  int32_t mechanism; /* 0 edge-only, 1 split, 2 cloud-only */
  int32_t tensors;   /* that cross */
  int64_t bytes;     /* of all of them */
  int64_t edge_madds, cloud_madds;
} fogline_cut;
FOGLINE_C int fogline_model_cut_count(const fogline_model* model, size_t* count);
FOGLINE_C int fogline_model_cut(const fogline_model* model, size_t index, fogline_cut* cut);

/* ---- Pieces, and running them -------------------------------------------------------------- */

typedef struct fogline_piece fogline_piece;
/* `cut` as it is written anywhere: "12", "split13", "r30,r34". */
FOGLINE_C int fogline_model_split(const fogline_model* model, const char* cut, fogline_piece** edge,
                                  fogline_piece** cloud);
/* What leads from some tensors to others; none: the model's inputs, its outputs. */
FOGLINE_C int fogline_model_piece(const fogline_model* model, const char* const* from,
                                  size_t from_count, const char* const* to, size_t to_count,
                                  fogline_piece** piece);
/* Serialised ONNX, as long as the piece. */
FOGLINE_C int fogline_piece_bytes(const fogline_piece* piece, const void** data, size_t* bytes);
FOGLINE_C int fogline_piece_write(const fogline_piece* piece, const char* path);
FOGLINE_C void fogline_piece_free(fogline_piece* piece);

/* Tensors that a call gave. Their memory lives as long as the list. */
typedef struct fogline_tensors fogline_tensors;
FOGLINE_C size_t fogline_tensors_count(const fogline_tensors* tensors);
FOGLINE_C int fogline_tensors_get(const fogline_tensors* tensors, size_t index,
                                  fogline_tensor* tensor);
FOGLINE_C void fogline_tensors_free(fogline_tensors* tensors);

typedef struct fogline_session fogline_session;
FOGLINE_C int fogline_session_open(const fogline_piece* piece, int threads,
                                   fogline_session** session);
/* Names in the order that run takes and gives; null past the end. They live as long as it. */
FOGLINE_C const char* fogline_session_input(const fogline_session* session, size_t index);
FOGLINE_C const char* fogline_session_output(const fogline_session* session, size_t index);
FOGLINE_C int fogline_session_run(const fogline_session* session, const fogline_tensor* inputs,
                                  size_t count, fogline_tensors** outputs);
FOGLINE_C void fogline_session_free(fogline_session* session);

/* ---- Codecs -------------------------------------------------------------------------------- */

typedef struct fogline_codec fogline_codec;
/* "f32", "f16" or "json" for tensors of one dtype and shape: `like` needs no data. */
FOGLINE_C int fogline_codec_make(const char* name, const fogline_tensor* like,
                                 fogline_codec** codec);
/* Also "q2" … "q8", for a tensor that crosses at a cut, with what calibration found. */
FOGLINE_C int fogline_codec_make_calibrated(const char* name, const fogline_model* model,
                                            const char* cut, size_t tensor, const char* bundle,
                                            fogline_codec** codec);
FOGLINE_C void fogline_codec_free(fogline_codec* codec);

typedef struct fogline_buffer fogline_buffer;
FOGLINE_C int fogline_codec_encode(const fogline_codec* codec, const fogline_tensor* tensor,
                                   fogline_buffer** code);
FOGLINE_C int fogline_codec_decode(const fogline_codec* codec, const void* code, size_t bytes,
                                   fogline_tensors** tensor);
FOGLINE_C const void* fogline_buffer_data(const fogline_buffer* buffer);
FOGLINE_C size_t fogline_buffer_bytes(const fogline_buffer* buffer);
FOGLINE_C void fogline_buffer_free(fogline_buffer* buffer);

/* ---- Plans and costs: one JSON object, as `fogline plan --json` and `cost --json` print ----- */

typedef struct fogline_plan_request {
  const char *edge, *cloud, *link;                      /* needed */
  const char *objective, *codecs, *bundle, *not_before; /* null: as fogline plan has it */
  int never_send_input;
  /* 0 or less: no limit. */
  double max_latency_ms, min_agreement, max_cost, max_memory_mb, max_data_gb;
} fogline_plan_request;
FOGLINE_C int fogline_plan(const fogline_model* model, const fogline_plan_request* request,
                           char** json);
FOGLINE_C int fogline_plan_fleet(const char* scenario, char** json);
FOGLINE_C void fogline_text_free(char* text);

#ifdef __cplusplus
}
#endif

#endif
