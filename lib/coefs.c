// SPDX-License-Identifier: MIT
/*
 * coefs.c - libjpeg-turbo's transcoding interface, with two bounds of our own.
 *
 * The bytes may be hostile. The size is compared before anything of that size is allocated, and the
 * number of scans is bounded: a file of thousands of empty scans would else cost a pass over the
 * picture for each. What libjpeg would only warn of is an error here: a picture that others are
 * built on must be whole. Noise between the markers, which cameras send, is none.
 *
 * libjpeg reports errors by a jump out of the middle; reader and writer are then as good as new.
 */
#include "lib/coefs.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

#define OUT_FIRST (64u << 10)
#define SCANS_MAX 4

struct sluice_coefs {
	struct jpeg_decompress_struct in;
	struct jpeg_compress_struct out;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	struct jpeg_source_mgr source;
	struct jpeg_destination_mgr dest;
	jmp_buf fail;
	int err;
	const struct iovec *piece;
	unsigned int pieces;
	jvirt_barray_ptr *arrays; /* NULL: nothing was read */
	struct sluice_coefs_shape shape;
	uint8_t *bytes;
	size_t room, size_max;
};

/* ---- libjpeg's callbacks ---- */

static void give_up(struct sluice_coefs *c, int err)
{
	c->err = err;
	longjmp(c->fail, 1);
}

static void on_error(j_common_ptr jpeg)
{
	give_up(jpeg->client_data, jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? -ENOMEM : -EBADMSG);
}

static void on_warning(j_common_ptr jpeg, int level)
{
	if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA)
		give_up(jpeg->client_data, -EBADMSG);
}

static void on_message(j_common_ptr jpeg)
{
}

static void on_progress(j_common_ptr jpeg)
{
	struct sluice_coefs *c = jpeg->client_data;

	if (jpeg->is_decompressor && c->in.input_scan_number > SCANS_MAX)
		give_up(c, -EBADMSG);
}

static void source_begin(j_decompress_ptr jpeg)
{
}

/* The next piece; after the last an end, so that one that was cut off is not asked for. */
static boolean source_fill(j_decompress_ptr jpeg)
{
	static const JOCTET end[2] = { 0xff, JPEG_EOI };
	struct sluice_coefs *c = jpeg->client_data;

	while (c->pieces && !c->piece->iov_len) {
		c->piece++;
		c->pieces--;
	}
	if (c->pieces) {
		c->source.next_input_byte = c->piece->iov_base;
		c->source.bytes_in_buffer = c->piece->iov_len;
		c->piece++;
		c->pieces--;
	} else {
		c->source.next_input_byte = end;
		c->source.bytes_in_buffer = sizeof(end);
	}
	return TRUE;
}

static void source_skip(j_decompress_ptr jpeg, long count)
{
	struct sluice_coefs *c = jpeg->client_data;

	while (count > 0 && (size_t)count > c->source.bytes_in_buffer) {
		if (!c->pieces)
			give_up(c, -EBADMSG);
		count -= (long)c->source.bytes_in_buffer;
		source_fill(jpeg);
	}
	if (count > 0) {
		c->source.next_input_byte += count;
		c->source.bytes_in_buffer -= (size_t)count;
	}
}

static void source_end(j_decompress_ptr jpeg)
{
}

static void dest_begin(j_compress_ptr jpeg)
{
	struct sluice_coefs *c = jpeg->client_data;

	c->dest.next_output_byte = c->bytes;
	c->dest.free_in_buffer = c->room;
}

/* The buffer is full: twice as much, up to the bound. */
static boolean dest_full(j_compress_ptr jpeg)
{
	struct sluice_coefs *c = jpeg->client_data;
	size_t had = c->room, room = had * 2 < c->size_max ? had * 2 : c->size_max;
	uint8_t *more = room > had ? realloc(c->bytes, room) : NULL;

	if (!more)
		give_up(c, room > had ? -ENOMEM : -EMSGSIZE);
	c->bytes = more;
	c->room = room;
	c->dest.next_output_byte = more + had;
	c->dest.free_in_buffer = room - had;
	return TRUE;
}

static void dest_end(j_compress_ptr jpeg)
{
}

/* ---- open and close ---- */

/* A new one for each picture: tables of the one before would stand in for those that miss. */
static void make_reader(struct sluice_coefs *c)
{
	jpeg_destroy_decompress(&c->in);
	c->in.err = &c->errors;
	c->in.client_data = c;
	jpeg_create_decompress(&c->in);
	c->in.src = &c->source;
	c->in.progress = &c->progress;
}

static int create(struct sluice_coefs *c)
{
	c->out.err = jpeg_std_error(&c->errors);
	c->errors.error_exit = on_error;
	c->errors.emit_message = on_warning;
	c->errors.output_message = on_message;
	c->progress.progress_monitor = on_progress;
	c->source = (struct jpeg_source_mgr){ .init_source = source_begin,
					      .fill_input_buffer = source_fill,
					      .skip_input_data = source_skip,
					      .resync_to_restart = jpeg_resync_to_restart,
					      .term_source = source_end };
	c->dest = (struct jpeg_destination_mgr){ .init_destination = dest_begin,
						 .empty_output_buffer = dest_full,
						 .term_destination = dest_end };
	c->out.client_data = c;
	if (setjmp(c->fail))
		return -ENOMEM;
	make_reader(c);
	jpeg_create_compress(&c->out);
	c->out.dest = &c->dest;
	return 0;
}

struct sluice_coefs *sluice_coefs_open(size_t size_max)
{
	struct sluice_coefs *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->size_max = size_max;
	c->room = OUT_FIRST < size_max ? OUT_FIRST : size_max;
	c->bytes = malloc(c->room);
	if (c->bytes && !create(c))
		return c;
	sluice_coefs_close(c);
	return NULL;
}

void sluice_coefs_close(struct sluice_coefs *c)
{
	if (!c)
		return;
	jpeg_destroy_decompress(&c->in);
	jpeg_destroy_compress(&c->out);
	free(c->bytes);
	free(c);
}

/* ---- reading ---- */

static int fill_shape(struct sluice_coefs *c)
{
	struct jpeg_decompress_struct *j = &c->in;
	struct sluice_coefs_shape *s = &c->shape;
	bool alone = j->num_components == 1;

	*s = (struct sluice_coefs_shape){ .width = j->image_width,
					  .height = j->image_height,
					  .components = (uint32_t)j->num_components };
	s->mcu_w = alone ? 8 : 8 * (uint32_t)j->max_h_samp_factor;
	s->mcu_h = alone ? 8 : 8 * (uint32_t)j->max_v_samp_factor;
	for (int i = 0; i < j->num_components; i++) {
		uint32_t h = (uint32_t)j->comp_info[i].h_samp_factor;
		uint32_t v = (uint32_t)j->comp_info[i].v_samp_factor;

		s->h[i] = alone ? 1 : h;
		s->v[i] = alone ? 1 : v;
		if (s->mcu_w / 8 % s->h[i] || s->mcu_h / 8 % s->v[i])
			return -EOPNOTSUPP;
	}
	if (s->mcu_w == 24 || s->mcu_h == 24)
		return -EOPNOTSUPP;
	s->columns = (s->width + s->mcu_w - 1) / s->mcu_w;
	s->rows = (s->height + s->mcu_h - 1) / s->mcu_h;
	return 0;
}

static int read_all(struct sluice_coefs *c, uint32_t width, uint32_t height)
{
	struct jpeg_decompress_struct *j = &c->in;
	int err;

	if (setjmp(c->fail))
		return c->err;
	make_reader(c);
	if (jpeg_read_header(j, TRUE) != JPEG_HEADER_OK || j->image_width != width ||
	    j->image_height != height)
		return -EBADMSG;
	if (j->progressive_mode || j->arith_code || j->data_precision != 8 ||
	    (j->num_components != 1 && j->num_components != 3))
		return -EOPNOTSUPP;
	err = fill_shape(c);
	if (!err)
		c->arrays = jpeg_read_coefficients(j);
	return err;
}

int sluice_coefs_read(struct sluice_coefs *c, const struct iovec *piece, unsigned int pieces,
		      uint32_t width, uint32_t height)
{
	int err;

	c->arrays = NULL;
	c->piece = piece;
	c->pieces = pieces;
	c->source.bytes_in_buffer = 0;
	err = read_all(c, width, height);
	if (!err && !c->arrays)
		err = -EBADMSG;
	for (int i = 0; !err && i < c->in.num_components; i++)
		if (!c->in.comp_info[i].quant_table) /* no scan has it */
			err = -EBADMSG;
	c->piece = NULL;
	c->pieces = 0;
	if (err) {
		c->arrays = NULL;
		jpeg_abort_decompress(&c->in);
	}
	return err;
}

void sluice_coefs_forget(struct sluice_coefs *c)
{
	c->arrays = NULL;
	jpeg_abort_decompress(&c->in);
}

const struct sluice_coefs_shape *sluice_coefs_shape(const struct sluice_coefs *c)
{
	return &c->shape;
}

/* Whole pictures lie in memory, so that access within them cannot fail. */
int16_t (*sluice_coefs_row(struct sluice_coefs *c, uint32_t component, uint32_t row))[64]
{
	return (*c->in.mem->access_virt_barray)((j_common_ptr)&c->in, c->arrays[component], row, 1,
						TRUE)[0];
}

const uint16_t *sluice_coefs_steps(const struct sluice_coefs *c, uint32_t component)
{
	return c->in.comp_info[component].quant_table->quantval;
}

bool sluice_coefs_alike(const struct sluice_coefs *a, const struct sluice_coefs *b)
{
	const struct sluice_coefs_shape *s = &a->shape, *t = &b->shape;

	if (s->components != t->components || s->mcu_w != t->mcu_w || s->mcu_h != t->mcu_h ||
	    a->in.jpeg_color_space != b->in.jpeg_color_space)
		return false;
	for (uint32_t i = 0; i < s->components; i++)
		if (s->h[i] != t->h[i] || s->v[i] != t->v[i] ||
		    memcmp(sluice_coefs_steps(a, i), sluice_coefs_steps(b, i),
			   64 * sizeof(uint16_t)))
			return false;
	return true;
}

static bool in_mask(const uint8_t *mask, uint32_t mcu)
{
	return !mask || (mask[mcu / 8] >> (mcu % 8) & 1);
}

int sluice_coefs_paste(struct sluice_coefs *to, struct sluice_coefs *from, uint32_t column,
		       uint32_t row, const uint8_t *mask)
{
	const struct sluice_coefs_shape *s = &from->shape, *t = &to->shape;

	if (!sluice_coefs_alike(to, from) || column > t->columns || row > t->rows ||
	    s->columns > t->columns - column || s->rows > t->rows - row)
		return -EINVAL;
	for (uint32_t k = 0; k < s->components; k++) {
		for (uint32_t y = 0; y < s->rows * s->v[k]; y++) {
			int16_t(*in)[64] = sluice_coefs_row(from, k, y);
			int16_t(*out)[64] = sluice_coefs_row(to, k, row * s->v[k] + y);
			uint32_t first = y / s->v[k] * s->columns;

			for (uint32_t x = 0; x < s->columns; x++)
				if (in_mask(mask, first + x))
					memcpy(out[(column + x) * s->h[k]], in[x * s->h[k]],
					       s->h[k] * sizeof(*in));
		}
	}
	return 0;
}

/* ---- writing ---- */

/* The blocks of one MCU; one that does not count repeats the last mean, which costs two bits. */
static void copy_mcu(struct sluice_coefs *c, jvirt_barray_ptr *arrays,
		     const struct sluice_coefs_box *b, uint32_t x, uint32_t y, bool counts,
		     int16_t last[3])
{
	const struct sluice_coefs_shape *s = &c->shape;
	j_common_ptr out = (j_common_ptr)&c->out;

	for (uint32_t k = 0; k < s->components; k++) {
		for (uint32_t i = 0; i < s->v[k]; i++) {
			JBLOCKROW to = (*c->out.mem->access_virt_barray)(
				out, arrays[k], y * s->v[k] + i, 1, TRUE)[0];
			int16_t(*from)[64] = sluice_coefs_row(c, k, (b->row + y) * s->v[k] + i);

			for (uint32_t n = 0; n < s->h[k]; n++) {
				int16_t *block = to[x * s->h[k] + n];

				if (counts) {
					memcpy(block, from[(b->column + x) * s->h[k] + n],
					       sizeof(*from));
					last[k] = block[0];
				} else {
					block[0] = last[k];
				}
			}
		}
	}
}

static void fill_arrays(struct sluice_coefs *c, jvirt_barray_ptr *arrays,
			const struct sluice_coefs_box *b, const uint8_t *mask)
{
	const struct sluice_coefs_shape *s = &c->shape;
	struct jpeg_memory_mgr *mem = c->out.mem;
	int16_t last[3] = { 0 };

	for (uint32_t k = 0; k < s->components; k++)
		arrays[k] = (*mem->request_virt_barray)((j_common_ptr)&c->out, JPOOL_IMAGE, TRUE,
							b->columns * s->h[k], b->rows * s->v[k],
							s->v[k]);
	(*mem->realize_virt_arrays)((j_common_ptr)&c->out);
	for (uint32_t y = 0; y < b->rows; y++)
		for (uint32_t x = 0; x < b->columns; x++)
			copy_mcu(c, arrays, b, x, y, in_mask(mask, y * b->columns + x), last);
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static int write_all(struct sluice_coefs *c, const struct sluice_coefs_box *b, const uint8_t *mask)
{
	const struct sluice_coefs_shape *s = &c->shape;
	struct jpeg_compress_struct *j = &c->out;
	jvirt_barray_ptr own[3];

	if (setjmp(c->fail)) {
		jpeg_abort_compress(j);
		return c->err;
	}
	jpeg_copy_critical_parameters(&c->in, j);
	if (s->components == 1)
		j->comp_info[0].h_samp_factor = j->comp_info[0].v_samp_factor = 1;
	if (b) {
		j->image_width = least(b->columns * s->mcu_w, s->width - b->column * s->mcu_w);
		j->image_height = least(b->rows * s->mcu_h, s->height - b->row * s->mcu_h);
#if JPEG_LIB_VERSION >= 70
		j->jpeg_width = j->image_width;
		j->jpeg_height = j->image_height;
#endif
		fill_arrays(c, own, b, mask);
	}
	j->optimize_coding = TRUE;
	jpeg_write_coefficients(j, b ? own : c->arrays);
	jpeg_finish_compress(j);
	return 0;
}

int sluice_coefs_write(struct sluice_coefs *c, const struct sluice_coefs_box *box,
		       const uint8_t *mask, const uint8_t **jpeg, size_t *size)
{
	const struct sluice_coefs_shape *s = &c->shape;
	int err;

	if (!c->arrays || (mask && !box) ||
	    (box &&
	     (!box->columns || !box->rows || box->column >= s->columns || box->row >= s->rows ||
	      box->columns > s->columns - box->column || box->rows > s->rows - box->row)))
		return -EINVAL;
	err = write_all(c, box, mask);
	*jpeg = c->bytes;
	*size = c->room - c->dest.free_in_buffer;
	return err;
}
