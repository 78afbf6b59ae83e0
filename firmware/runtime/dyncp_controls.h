/* SPDX-License-Identifier: Apache-2.0 */
/* What a product sets at run time: from the mask to the gain that is applied, and from scores to
 * decisions. Section numbers refer to docs/arithmetic.md. Settings come from a state that may have
 * been corrupted: each is reduced where it is used. */
#ifndef DYNCP_CONTROLS_H
#define DYNCP_CONTROLS_H

#include "dyncp_layers.h"

#define DCP_UNITY 32767u       /* a gain of 1 in Q15 */
#define DCP_WHOLE 32768u       /* a share of 1 in Q15 */
#define DCP_PERCENT 100u       /* settings that change nothing */
#define DCP_STRONGEST 200u     /* percent */
#define DCP_NO_LIMIT 97u       /* dB, of which the least gain is 0 */
#define DCP_FADE_STEP 4096u    /* of a share, in a frame */
#define DCP_LONGEST_HANG 9999u /* frames */

/* Words, so that every ABI lays them out alike. */
typedef struct {
    uint32_t shaped;   /* whether gains are other than masks; the rest is read only then */
    uint32_t limit;    /* dB */
    uint32_t floor;    /* the least gain, Q15 */
    uint32_t strength; /* percent */
    uint32_t attack;   /* percent of its way that a gain rises in a frame */
    uint32_t release;  /* ... and falls */
    uint32_t bypass;   /* 0 or 1 */
    uint32_t wet;      /* share of the suppression, Q15: it moves to what `bypass` wants */
} dcp_controls;

typedef struct {
    int32_t level;     /* that a score must be above, or a lead as large as */
    uint32_t hangover; /* frames that a decision stays without */
    uint32_t since;    /* frames since it was so, 0 where it is in this one */
    uint32_t told;     /* 0 or 1, or a class; at first any that does not exist */
} dcp_decision;

static inline uint32_t dcp_least(uint32_t a, uint32_t b) {
    return (a < b) ? a : b;
}

/* Percent to a share in Q15. */
static inline uint32_t dcp_share(uint32_t percent) {
    return (dcp_least(percent, DCP_PERCENT) * 20972u) >> 6;
}

/* ---- Settings ---- */

/* Whether the kernels below have anything to do. */
static inline void dcp_settle(dcp_controls *c) {
    c->shaped = (c->limit != DCP_NO_LIMIT) || (c->strength != DCP_PERCENT) ||
                (c->attack != DCP_PERCENT) || (c->release != DCP_PERCENT) || (c->bypass != 0u) ||
                (c->wet != DCP_WHOLE);
}

/* From zeros. */
static inline void dcp_controls_start(dcp_controls *c) {
    c->limit = DCP_NO_LIMIT;
    c->strength = DCP_PERCENT;
    c->attack = DCP_PERCENT;
    c->release = DCP_PERCENT;
    c->wet = DCP_WHOLE;
}

/* The least gain for a limit in dB: multiplied by 10^(-1/20), again and again. */
static inline uint32_t dcp_floor(uint32_t limit) {
    int32_t gain = (int32_t)DCP_UNITY << 15;
    for (; limit > 0u; limit--) {
        gain = dcp_rmul(2 * gain, 956973408);
    }
    return ((uint32_t)gain + 16384u) >> 15;
}

static inline void dcp_set_limit(dcp_controls *c, uint32_t limit) {
    c->limit = dcp_least(limit, DCP_NO_LIMIT);
    c->floor = dcp_floor(c->limit);
    dcp_settle(c);
}

/* Whether a gain gets anywhere by so many percent a frame. */
static inline int dcp_moves(uint32_t percent) {
    return (percent > 0u) && (percent <= DCP_PERCENT);
}

/* ---- Section 11, gain ---- */

/* Step 1, up to 100 %, and step 4: a share of what is suppressed. */
static inline void dcp_soften(uint32_t share, uint16_t *gain, size_t count) {
    for (size_t k = 0; k < count; k++) {
        gain[k] = (uint16_t)(DCP_UNITY - (((DCP_UNITY - gain[k]) * share) >> 15));
    }
}

/* Step 1, beyond 100 %: towards the square of the mask. */
static inline void dcp_deepen(uint32_t share, uint16_t *mask, size_t count) {
    for (size_t k = 0; k < count; k++) {
        const uint32_t m = mask[k], less = (m * (DCP_UNITY - m)) >> 15;
        mask[k] = (uint16_t)(m - ((less * share) >> 15));
    }
}

/* Step 2: the mask becomes what the gain of the last frame moves to. */
static inline void dcp_follow(uint32_t attack, uint32_t release, const uint16_t *gain,
                              uint16_t *mask, size_t count) {
    const int32_t up = (int32_t)dcp_share(attack), down = (int32_t)dcp_share(release);
    for (size_t k = 0; k < count; k++) {
        const int32_t last = gain[k] & (int32_t)DCP_UNITY, way = mask[k] - last;
        mask[k] = (uint16_t)(last + ((way * ((way > 0) ? up : down)) >> 15));
    }
}

/* Step 3. */
static inline void dcp_hold_up(uint32_t floor, const uint16_t *mask, uint16_t *gain, size_t count) {
    const uint16_t least = (uint16_t)dcp_least(floor, DCP_UNITY);
    for (size_t k = 0; k < count; k++) {
        gain[k] = (mask[k] > least) ? mask[k] : least;
    }
}

/* mask[count], which is lost, to gain[count], which holds those of the last frame. */
DCP_KERNEL void dcp_shape(dcp_controls *c, uint16_t *mask, uint16_t *gain, size_t count) {
    if (c->strength < DCP_PERCENT) {
        dcp_soften(dcp_share(c->strength), mask, count);
    }
    if (c->strength > DCP_PERCENT) {
        dcp_deepen(dcp_share(c->strength - DCP_PERCENT), mask, count);
    }
    if ((c->attack != DCP_PERCENT) || (c->release != DCP_PERCENT)) {
        dcp_follow(c->attack, c->release, gain, mask, count);
    }
    dcp_hold_up(c->floor, mask, gain, count);
    if ((c->bypass != 0u) || (c->wet != DCP_WHOLE)) {
        const uint32_t wet = dcp_least(c->wet, DCP_WHOLE);
        c->wet = (c->bypass != 0u) ? wet - dcp_least(wet, DCP_FADE_STEP)
                                   : dcp_least(wet + DCP_FADE_STEP, DCP_WHOLE);
        dcp_soften(c->wet, gain, count);
        dcp_settle(c);
    }
}

/* ---- Section 11, decisions ---- */

/* Before the first frame. */
static inline void dcp_decision_start(dcp_decision *d) {
    d->since = UINT32_MAX;
    d->told = UINT32_MAX;
}

/* `frames` and a period, which is small, or as many as can be told. */
static inline uint32_t dcp_later(uint32_t frames, uint32_t period) {
    return (frames < UINT32_MAX - period) ? (frames + period) : UINT32_MAX;
}

/* Of two: 1 where the score is above the level, and for the hangover after. A score is of so many
 * frames, as are those of classes. */
static inline void dcp_decide(dcp_decision *d, int32_t score, uint32_t period) {
    d->since = (score > d->level) ? 0u : dcp_later(d->since, period);
    d->told = 0;
    if (d->since <= d->hangover) {
        d->told = 1;
    }
}

/* Of classes: the first of the largest score[count] follows the told one when it has led by the
 * level for longer than the hangover. */
static inline void dcp_choose(dcp_decision *d, const int32_t *score, size_t count,
                              uint32_t period) {
    const uint32_t classes = (uint32_t)count;
    uint32_t best = 0;
    for (uint32_t o = 1; o < classes; o++) {
        best = (score[o] > score[best]) ? o : best;
    }
    const uint32_t told = (d->told < classes) ? d->told : best;
    const uint32_t lead = (uint32_t)dcp_wrap_subtract(score[best], score[told]);
    const int leads = (best != told) && (lead >= (uint32_t)d->level);
    const uint32_t led = (leads != 0) ? dcp_later(d->since, period) : 0u;
    d->told = (led > d->hangover) ? best : told;
    d->since = (led > d->hangover) ? 0u : led;
}

#endif
