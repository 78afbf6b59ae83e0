/* SPDX-License-Identifier: Apache-2.0 */
/* Complex values one at a time, and what transforms of every size do with them. Section numbers
 * refer to docs/arithmetic.md.
 *
 * Values lie in arrays of int32_t, re and im interleaved. Sums wrap, since those of a work space
 * that was corrupted between two steps of a frame may; of sound values none does. */
#ifndef DYNCP_BUTTERFLY_H
#define DYNCP_BUTTERFLY_H

#include "dyncp_runtime.h"

/* Twice the factor of a quarter turn, whose other part is 0: the im in the middle of `twiddle`. */
#define DCP_MINUS_J (-2 * (((int32_t)1 << 30) - 1))

typedef struct {
    int32_t re, im;
} dcp_complex;

static inline dcp_complex dcp_load(const int32_t *z) {
    dcp_complex value;
    value.re = z[0];
    value.im = z[1];
    return value;
}

static inline void dcp_store(int32_t *z, dcp_complex value) {
    z[0] = value.re;
    z[1] = value.im;
}

static inline dcp_complex dcp_plus(dcp_complex a, dcp_complex b) {
    a.re = dcp_wrap_add(a.re, b.re);
    a.im = dcp_wrap_add(a.im, b.im);
    return a;
}

static inline dcp_complex dcp_minus(dcp_complex a, dcp_complex b) {
    a.re = dcp_wrap_subtract(a.re, b.re);
    a.im = dcp_wrap_subtract(a.im, b.im);
    return a;
}

/* ---- Sections 3 and 4: twist, and the two outputs of a butterfly: (p >> 1) + t and - t ---- */

/* By k > 0; w is twice the factor. */
static inline dcp_complex dcp_twist(dcp_complex q, dcp_complex w) {
    dcp_complex t;
    t.re = dcp_wrap_subtract(dcp_rmul2(q.re, w.re), dcp_rmul2(q.im, w.im));
    t.im = dcp_rmul2_add(dcp_rmul2(q.re, w.im), q.im, w.re);
    return t;
}

/* By k = 0. */
static inline dcp_complex dcp_twist0(dcp_complex q) {
    q.re >>= 1;
    q.im >>= 1;
    return q;
}

/* By a quarter turn: the real parts of the products with w.re = 0 are 0. */
static inline dcp_complex dcp_turn(dcp_complex q) {
    dcp_complex t;
    t.re = -dcp_rmul2(q.im, DCP_MINUS_J);
    t.im = dcp_rmul2(q.re, DCP_MINUS_J);
    return t;
}

static inline void dcp_butterfly(dcp_complex *p, dcp_complex *q, dcp_complex t) {
    const dcp_complex half = dcp_twist0(*p);
    *p = dcp_plus(half, t);
    *q = dcp_minus(half, t);
}

/* ---- Section 4: four values, two stages at a time ---- */

/* The butterflies of the stages h and 2 h on z[j], z[j + h], z[j + 2 h], z[j + 3 h] of a group,
 * j = 0: the twists are by k = 0, and by a quarter turn in the second stage's other butterfly. */
static inline void dcp_quad0(dcp_complex *a, dcp_complex *b, dcp_complex *c, dcp_complex *d) {
    dcp_butterfly(a, b, dcp_twist0(*b));
    dcp_butterfly(c, d, dcp_twist0(*d));
    dcp_butterfly(a, c, dcp_twist0(*c));
    dcp_butterfly(b, d, dcp_turn(*d));
}

/* That of a group at z. */
DCP_IN_CODE static inline void dcp_quad_of_0(int32_t *z, size_t h) {
    dcp_complex a = dcp_load(z), b = dcp_load(z + 2 * h);
    dcp_complex c = dcp_load(z + 4 * h), d = dcp_load(z + 6 * h);
    dcp_quad0(&a, &b, &c, &d);
    dcp_store(z, a);
    dcp_store(z + 2 * h, b);
    dcp_store(z + 4 * h, c);
    dcp_store(z + 6 * h, d);
}

/* ---- Section 3, step 3, and section 8, step 2: two bins at once ---- */

/* e and o of one k, from z[k] and z[(P - k) % P]. */
static inline void dcp_even_odd(dcp_complex a, dcp_complex b, dcp_complex *e, dcp_complex *o) {
    e->re = (a.re >> 1) + (b.re >> 1);
    e->im = (a.im >> 1) + (dcp_wrap_subtract(0, b.im) >> 1);
    o->re = (a.im >> 1) - (dcp_wrap_subtract(0, b.im) >> 1);
    o->im = (b.re >> 1) - (a.re >> 1);
}

/* The bins k > 0 and P - k of the spectrum in place of those of the transform; w is that of k. */
static inline void dcp_split_two(int32_t *up, int32_t *down, dcp_complex w) {
    dcp_complex e, o;
    dcp_even_odd(dcp_load(up), dcp_load(down), &e, &o);
    const dcp_complex t = dcp_twist(o, w), half = dcp_twist0(e);
    down[0] = dcp_wrap_subtract(half.re, t.re);
    down[1] = dcp_wrap_subtract(t.im, half.im);
    dcp_store(up, dcp_plus(half, t)); /* last, where they meet */
}

/* Those of k = 0 and P. */
static inline void dcp_split_ends(int32_t *first, int32_t *last) {
    dcp_complex e, o;
    dcp_even_odd(dcp_load(first), dcp_load(first), &e, &o);
    first[0] = (e.re >> 1) + (o.re >> 1);
    first[1] = 0;
    last[0] = (e.re >> 1) - (o.re >> 1);
    last[1] = 0;
}

/* Section 8, step 1: a bin of the enhanced spectrum, halved. */
static inline dcp_complex dcp_suppressed(const int32_t *x, uint16_t mask) {
    const int32_t twice_m = (int32_t)((uint32_t)mask << 16);
    dcp_complex y = dcp_load(x);
    y.re = dcp_rmul2(y.re, twice_m);
    y.im = dcp_rmul2(y.im, twice_m);
    return y;
}

/* Of the bins k > 0 and P - k, which are a and b, what the inverse transform takes: re and im are
 * exchanged. */
static inline void dcp_merge_two(int32_t *up, int32_t *down, dcp_complex a, dcp_complex b,
                                 dcp_complex w) {
    const dcp_complex both = dcp_plus(a, b), other = dcp_minus(a, b);
    const int32_t e_re = both.re >> 1, e_im = other.im >> 1;
    /* The twist of conj(o); t is its conjugate. */
    dcp_complex conjugate;
    conjugate.re = other.re;
    conjugate.im = dcp_wrap_subtract(0, both.im);
    const dcp_complex c = dcp_twist(conjugate, w);
    down[0] = dcp_wrap_subtract(c.re, e_im);
    down[1] = dcp_wrap_subtract(e_re, c.im);
    up[0] = dcp_wrap_add(e_im, c.re);
    up[1] = dcp_wrap_add(e_re, c.im);
}

/* Of k = 0, from the bins 0 and P. */
static inline void dcp_merge_ends(int32_t *z, dcp_complex first, dcp_complex last) {
    const dcp_complex sum = dcp_plus(first, last), difference = dcp_minus(first, last);
    z[0] = (difference.im >> 1) + (difference.re >> 1);
    z[1] = (sum.re >> 1) + (dcp_wrap_subtract(0, sum.im) >> 1);
}

#endif
