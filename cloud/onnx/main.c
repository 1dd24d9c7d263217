// SPDX-License-Identifier: MIT
/*
 * main.c - a detector for sluice-cloud that runs a model by ONNX Runtime (its C API), on the
 * processor. A model of one input, a picture: float or bytes, [1, 3, H, W] or [1, H, W, 3]; its
 * outputs are read as conf.h says. One picture at a time.
 *
 * Threads are made in open(), when files may still be read and threads begun; a run makes none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <onnxruntime_c_api.h>
#include <sluice/detector.h>

#include "cloud/onnx/boxes.h"

struct onnx {
	struct onnx_conf conf;
	const char *class[SLUICE_DETECTOR_CLASS_MAX];
	const OrtApi *api;
	OrtEnv *env;
	OrtSession *session;
	OrtMemoryInfo *memory;
	OrtAllocator *allocator;
	char *input, *output[3]; /* names, the allocator's */
	size_t outputs;		 /* that are read */
	bool planes, bytes;
	struct onnx_frame frame;
	int64_t shape[4];
	void *picture; /* as the model wants it */
	size_t picture_size;
	float *converted[3]; /* outputs that are not floats */
	size_t converted_room[3];
};

/* What ONNX Runtime says of a failure, into why; takes the status. 0 or -EIO. */
static int failed(const struct onnx *o, OrtStatus *status, const char *what, char *why,
		  size_t why_size)
{
	if (!status)
		return 0;
	snprintf(why, why_size, "%s: %s", what, o->api->GetErrorMessage(status));
	o->api->ReleaseStatus(status);
	return -EIO;
}

static void onnx_close(void *detector)
{
	struct onnx *o = detector;

	if (!o)
		return;
	for (int i = 0; i < 3; i++) {
		if (o->output[i])
			o->allocator->Free(o->allocator, o->output[i]);
		free(o->converted[i]);
	}
	if (o->input)
		o->allocator->Free(o->allocator, o->input);
	if (o->memory)
		o->api->ReleaseMemoryInfo(o->memory);
	if (o->session)
		o->api->ReleaseSession(o->session);
	if (o->env)
		o->api->ReleaseEnv(o->env);
	free(o->picture);
	free(o);
}

/* ---- the model ---- */

static int load(struct onnx *o, const char *folder, char *why, size_t why_size)
{
	bool whole = o->conf.model[0] == '/';
	OrtSessionOptions *options = NULL;
	char path[8192];
	int err;

	snprintf(path, sizeof(path), "%s%s%s", whole ? "" : folder, whole ? "" : "/",
		 o->conf.model);
	err = failed(o, o->api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "sluice", &o->env),
		     "ONNX Runtime", why, why_size);
	if (!err)
		err = failed(o, o->api->CreateSessionOptions(&options), "ONNX Runtime", why,
			     why_size);
	if (!err)
		err = failed(o, o->api->SetIntraOpNumThreads(options, o->conf.threads), "threads",
			     why, why_size);
	if (!err)
		err = failed(o, o->api->SetInterOpNumThreads(options, 1), "threads", why, why_size);
	if (!err) /* threads that wait do not burn the processor */
		err = failed(o,
			     o->api->AddSessionConfigEntry(options,
							   "session.intra_op.allow_spinning", "0"),
			     "threads", why, why_size);
	if (!err)
		err = failed(o, o->api->CreateSession(o->env, path, options, &o->session), path,
			     why, why_size);
	if (options)
		o->api->ReleaseSessionOptions(options);
	if (!err)
		err = failed(o, o->api->GetAllocatorWithDefaultOptions(&o->allocator), "memory",
			     why, why_size);
	if (!err)
		err = failed(o,
			     o->api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault,
							 &o->memory),
			     "memory", why, why_size);
	return err;
}

/* Which of its sides are free (-1) is settled by size. */
static int settle_size(struct onnx *o, char *why, size_t why_size)
{
	int64_t *h = &o->shape[o->planes ? 2 : 1], *w = &o->shape[o->planes ? 3 : 2];
	const struct onnx_conf *c = &o->conf;

	if ((*w <= 0 || *h <= 0) && !c->width) {
		snprintf(why, why_size,
			 "the model takes pictures of any size: say size = WIDTHxHEIGHT");
		return -EINVAL;
	}
	*w = *w > 0 ? *w : c->width;
	*h = *h > 0 ? *h : c->height;
	if ((c->width && (*w != c->width || *h != c->height)) || *w < 32 || *h < 32 ||
	    *w > SLUICE_DETECTOR_SIDE_MAX || *h > SLUICE_DETECTOR_SIDE_MAX) {
		snprintf(why, why_size,
			 "the model's pictures are %lldx%lld: size must be that, and 32 to %u",
			 (long long)*w, (long long)*h, SLUICE_DETECTOR_SIDE_MAX);
		return -EINVAL;
	}
	o->frame.width = (uint32_t)*w;
	o->frame.height = (uint32_t)*h;
	o->picture_size = (size_t)*w * (size_t)*h * 3 * (o->bytes ? 1 : sizeof(float));
	o->picture = malloc(o->picture_size);
	return o->picture ? 0 : -ENOMEM;
}

static int read_input(struct onnx *o, char *why, size_t why_size)
{
	ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
	const OrtTensorTypeAndShapeInfo *info = NULL;
	OrtTypeInfo *of = NULL;
	size_t n = 0, sides = 0;
	int err = failed(o, o->api->SessionGetInputCount(o->session, &n), "input", why, why_size);

	if (!err && n != 1) {
		snprintf(why, why_size, "the model has %zu inputs and must have one, a picture", n);
		return -EINVAL;
	}
	if (!err)
		err = failed(o, o->api->SessionGetInputName(o->session, 0, o->allocator, &o->input),
			     "input", why, why_size);
	if (!err)
		err = failed(o, o->api->SessionGetInputTypeInfo(o->session, 0, &of), "input", why,
			     why_size);
	if (!err)
		err = failed(o, o->api->CastTypeInfoToTensorInfo(of, &info), "input", why,
			     why_size);
	if (!err && info)
		err = failed(o, o->api->GetTensorElementType(info, &type), "input", why, why_size);
	if (!err && info)
		err = failed(o, o->api->GetDimensionsCount(info, &sides), "input", why, why_size);
	if (!err && sides == 4)
		err = failed(o, o->api->GetDimensions(info, o->shape, 4), "input", why, why_size);
	if (of)
		o->api->ReleaseTypeInfo(of);
	if (err)
		return err;
	o->bytes = type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
	o->planes = o->shape[1] == 3;
	if (sides != 4 || (!o->bytes && type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) ||
	    (!o->planes && o->shape[3] != 3) || o->shape[0] > 1) {
		snprintf(why, why_size,
			 "the model's input must be float or uint8, [1, 3, H, W] or [1, H, W, 3]");
		return -EINVAL;
	}
	o->shape[0] = 1;
	return settle_size(o, why, why_size);
}

/* The outputs that conf names, or the first ones. */
static int read_outputs(struct onnx *o, char *why, size_t why_size)
{
	size_t n = 0;
	int err =
		failed(o, o->api->SessionGetOutputCount(o->session, &n), "outputs", why, why_size);

	o->outputs = o->conf.layout == ONNX_SSD ? 3 : 1;
	for (size_t i = 0; i < n && !err; i++) {
		char *name = NULL;
		size_t to = i;

		err = failed(o, o->api->SessionGetOutputName(o->session, i, o->allocator, &name),
			     "outputs", why, why_size);
		if (err)
			break;
		for (size_t k = 0; o->conf.output[0][0] && k < o->outputs; k++)
			to = strcmp(o->conf.output[k], name) ? to == k ? o->outputs : to : k;
		if (o->conf.output[0][0] && (to >= o->outputs || strcmp(o->conf.output[to], name)))
			to = o->outputs;
		if (to < o->outputs && !o->output[to])
			o->output[to] = name;
		else
			o->allocator->Free(o->allocator, name);
	}
	for (size_t k = 0; k < o->outputs && !err; k++)
		if (!o->output[k]) {
			snprintf(why, why_size,
				 "the model has %zu outputs; layout wants %zu, output %zu ('%s') "
				 "is not there",
				 n, o->outputs, k + 1, o->conf.output[k]);
			err = -EINVAL;
		}
	return err;
}

static int onnx_open(const char *config, const char *folder, void **detector, char *why,
		     size_t why_size)
{
	struct onnx *o = calloc(1, sizeof(*o));
	int err = o ? onnx_conf_read(&o->conf, config, folder, why, why_size) : -ENOMEM;

	if (!err) {
		o->api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
		if (!o->api) {
			snprintf(why, why_size, "ONNX Runtime %s is older than the plug-in wants",
				 OrtGetApiBase()->GetVersionString());
			err = -ENOSYS;
		}
	}
	if (!err)
		err = load(o, folder, why, why_size);
	if (!err)
		err = read_input(o, why, why_size);
	if (!err)
		err = read_outputs(o, why, why_size);
	if (err) {
		onnx_close(o);
		return err;
	}
	for (uint32_t i = 0; i < o->conf.class_count; i++)
		o->class[i] = o->conf.classes[i];
	*detector = o;
	return 0;
}

static void onnx_info(void *detector, struct sluice_detector_info *info)
{
	struct onnx *o = detector;

	memcpy(info->name, o->conf.name, sizeof(info->name));
	info->batch_max = 1;
	info->side = o->frame.width > o->frame.height ? o->frame.width : o->frame.height;
	info->class_count = o->conf.class_count;
	info->classes = o->class;
}

/* ---- a run ---- */

/* An output as floats, whatever it is; t->data stays until the next run. */
static int as_floats(struct onnx *o, size_t which, const void *data, ONNXTensorElementDataType type,
		     size_t n, const float **out)
{
	float *to;

	if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
		*out = data;
		return 0;
	}
	if (n > o->converted_room[which]) {
		free(o->converted[which]);
		o->converted[which] = malloc(n * sizeof(float));
		o->converted_room[which] = o->converted[which] ? n : 0;
	}
	to = o->converted[which];
	if (!to && n)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64)
			to[i] = (float)((const int64_t *)data)[i];
		else if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32)
			to[i] = (float)((const int32_t *)data)[i];
		else
			return -EINVAL;
	}
	*out = to;
	return 0;
}

static int read_tensor(struct onnx *o, size_t which, OrtValue *value, struct onnx_tensor *t,
		       char *why, size_t why_size)
{
	ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
	OrtTensorTypeAndShapeInfo *info = NULL;
	int64_t side[4] = { 0 };
	size_t sides = 0;
	void *data = NULL;
	int err = failed(o, o->api->GetTensorTypeAndShape(value, &info), "output", why, why_size);

	if (!err)
		err = failed(o, o->api->GetTensorElementType(info, &type), "output", why, why_size);
	if (!err)
		err = failed(o, o->api->GetDimensionsCount(info, &sides), "output", why, why_size);
	if (!err && sides >= 1 && sides <= 4)
		err = failed(o, o->api->GetDimensions(info, side, sides), "output", why, why_size);
	if (info)
		o->api->ReleaseTensorTypeAndShapeInfo(info);
	if (!err)
		err = failed(o, o->api->GetTensorMutableData(value, &data), "output", why,
			     why_size);
	if (err)
		return err;
	if (sides < 2 || sides > 3 || side[0] != 1 || side[1] < 0 || side[2] < 0 ||
	    side[1] > 1 << 24 || side[2] > 1 << 24) {
		snprintf(why, why_size, "output '%s' must have 2 or 3 sides, the first of them 1",
			 o->output[which]);
		return -EINVAL;
	}
	t->rows = sides == 3 ? (uint32_t)side[1] : 1;
	t->columns = (uint32_t)side[sides - 1];
	err = as_floats(o, which, data, type, (size_t)t->rows * t->columns, &t->data);
	if (err)
		snprintf(why, why_size, "output '%s' is neither float nor int64 nor int32",
			 o->output[which]);
	return err;
}

static int detect_one(struct onnx *o, const struct sluice_detector_image *image,
		      struct sluice_detector_result *r, char *why, size_t why_size)
{
	const char *const input[] = { o->input };
	const char *const output[] = { o->output[0], o->output[1], o->output[2] };
	OrtValue *in = NULL, *out[3] = { NULL };
	struct onnx_tensor t[3];
	int err;

	onnx_letterbox(image, &o->conf, o->planes, o->bytes, o->picture, &o->frame);
	err = failed(o,
		     o->api->CreateTensorWithDataAsOrtValue(
			     o->memory, o->picture, o->picture_size, o->shape, 4,
			     o->bytes ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8
				      : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
			     &in),
		     "picture", why, why_size);
	if (!err)
		err = failed(o,
			     o->api->Run(o->session, NULL, input, (const OrtValue *const *)&in, 1,
					 output, o->outputs, out),
			     "run", why, why_size);
	for (size_t i = 0; i < o->outputs && !err; i++)
		err = read_tensor(o, i, out[i], &t[i], why, why_size);
	if (!err && o->conf.layout == ONNX_YOLO)
		err = onnx_boxes_yolo(&t[0], &o->conf, &o->frame, r, why, why_size);
	else if (!err)
		err = onnx_boxes_ssd(&t[0], &t[1], &t[2], &o->conf, &o->frame, r, why, why_size);
	for (size_t i = 0; i < 3; i++)
		if (out[i])
			o->api->ReleaseValue(out[i]);
	if (in)
		o->api->ReleaseValue(in);
	return err;
}

static int onnx_detect(void *detector, const struct sluice_detector_image *image, uint32_t count,
		       struct sluice_detector_result *result, uint32_t left_ms, char *why,
		       size_t why_size)
{
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++)
		err = detect_one(detector, &image[i], &result[i], why, why_size);
	return err;
}

const struct sluice_detector_table *sluice_detector(uint32_t abi)
{
	static const struct sluice_detector_table table = {
		SLUICE_DETECTOR_ABI, sizeof(table), onnx_open, onnx_info, onnx_detect, onnx_close,
	};

	return abi == SLUICE_DETECTOR_ABI ? &table : NULL;
}
