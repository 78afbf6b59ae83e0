/* SPDX-License-Identifier: Apache-2.0 */
/* What the MicroPython module takes of its API, as docs.micropython.org and its example module use
 * it: to compile, not to run. */
#ifndef PY_RUNTIME_H
#define PY_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "py/qstr.h" /* made of the source, as MicroPython does */

typedef intptr_t mp_int_t;
typedef size_t qstr;
typedef void *mp_obj_t;
typedef const void *mp_rom_obj_t;
typedef struct {
    const struct mp_obj_type *type;
} mp_obj_base_t;
typedef struct {
    mp_rom_obj_t key, value;
} mp_rom_map_elem_t;
typedef struct {
    mp_obj_base_t base;
    const mp_rom_map_elem_t *table;
    size_t used;
} mp_obj_dict_t;
typedef struct {
    mp_obj_base_t base;
    mp_obj_dict_t *globals;
} mp_obj_module_t;
typedef struct {
    void *buf;
    size_t len;
    int typecode;
} mp_buffer_info_t;
typedef struct {
    mp_obj_base_t base;
    const void *function;
} mp_obj_fun_t;
typedef struct mp_obj_type {
    mp_obj_base_t base;
    qstr name;
    mp_obj_t (*make_new)(const struct mp_obj_type *, size_t, size_t, const mp_obj_t *);
    const mp_obj_dict_t *locals_dict;
} mp_obj_type_t;

extern const mp_obj_type_t mp_type_RuntimeError, mp_type_module, mp_type_dict;

#define MP_BUFFER_RW 3
#define MP_TYPE_FLAG_NONE 0
#define MP_ERROR_TEXT(text) text
#define MP_OBJ_FROM_PTR(p) ((mp_obj_t)(p))
#define MP_OBJ_TO_PTR(o) (o)
#define MP_OBJ_NEW_QSTR(q) ((mp_obj_t)(q))
#define MP_ROM_QSTR(q) ((mp_rom_obj_t)(uintptr_t)(q))
#define MP_ROM_PTR(p) ((mp_rom_obj_t)(p))
#define MP_ROM_INT(i) ((mp_rom_obj_t)(uintptr_t)(i))
#define MP_DEFINE_CONST_FUN_OBJ_1(name, f) const mp_obj_fun_t name = {{NULL}, (const void *)(f)}
#define MP_DEFINE_CONST_FUN_OBJ_2(name, f) const mp_obj_fun_t name = {{NULL}, (const void *)(f)}
#define MP_DEFINE_CONST_DICT(name, items)                                                          \
    const mp_obj_dict_t name = {{&mp_type_dict}, items, sizeof(items) / sizeof((items)[0])}
#define MP_DEFINE_CONST_OBJ_TYPE(type, q, flags, slot, f, dict, d)                                 \
    const mp_obj_type_t type = {{NULL}, q, .slot = f, .dict = d}
#define MP_REGISTER_MODULE(q, module)                                                              \
    extern const mp_obj_module_t *const registered;                                                \
    const mp_obj_module_t *const registered = &module
#define mp_const_none ((mp_obj_t)0)
#define mp_obj_malloc(kind, type) ((kind *)mp_obj_malloc_helper(sizeof(kind), type))

void *mp_obj_malloc_helper(size_t bytes, const mp_obj_type_t *type);
void mp_arg_check_num(size_t n_args, size_t n_kw, size_t least, size_t most, bool takes_kw);
__attribute__((noreturn)) void mp_raise_msg(const mp_obj_type_t *type, const char *text);
__attribute__((noreturn)) void mp_raise_ValueError(const char *text);
void mp_get_buffer_raise(mp_obj_t object, mp_buffer_info_t *info, unsigned flags);
mp_obj_t mp_obj_dict_store(mp_obj_t dict, mp_obj_t key, mp_obj_t value);
mp_obj_t mp_obj_new_dict(size_t entries);
mp_obj_t mp_obj_new_int(mp_int_t value);
mp_obj_t mp_obj_new_tuple(size_t entries, const mp_obj_t *items);

#endif
