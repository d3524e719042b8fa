/* Modules of PTX text, of which only the names of kernels are read: what these do is compiled into this library. */
#include "fake.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY ".visible .entry "

typedef struct {
    Object object;
    char *text;
} Module;

typedef struct {
    Object object;
    const Module *module;
    const Kernel *kernel;
} Function;

/* PTX begins with its version, after comments and blank lines. */
static bool is_ptx(const char *text) {
    while (isspace((unsigned char) *text) || strncmp(text, "//", 2) == 0) {
        text = *text == '/' ? text + strcspn(text, "\n") : text + 1;
    }
    return strncmp(text, ".version ", strlen(".version ")) == 0 && strstr(text, "\n.target ") != NULL;
}

static bool has_entry(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(text, ENTRY); at != NULL; at = strstr(at, ENTRY)) {
        at += strlen(ENTRY);
        if (strncmp(at, name, length) == 0 && !isalnum((unsigned char) at[length]) && at[length] != '_') {
            return true;
        }
    }
    return false;
}

CUresult cuModuleLoadDataEx(CUmodule *handle, const void *image, unsigned options, int *option, void **value) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    (void) options;
    (void) option;
    (void) value;
    if (status == CUDA_SUCCESS) {
        status = forbid_while_capturing();
    }
    if (status == CUDA_SUCCESS) {
        status = image == NULL ? CUDA_ERROR_INVALID_VALUE : is_ptx(image) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_IMAGE;
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    Module *module = calloc(1, sizeof *module);
    char *text = malloc(strlen(image) + 1);
    if (module == NULL || text == NULL) {
        free(module);
        free(text);
        return leave(CUDA_ERROR_OUT_OF_MEMORY);
    }
    module->text = strcpy(text, image);
    *handle = add_object(&module->object, MODULE, context);
    return leave(CUDA_SUCCESS);
}

void free_module(Object *object) {
    Module *module = (Module *) object;
    uint64_t number = 0;
    for (Object *o = next_object(number, FUNCTION, NULL); o != NULL; o = next_object(number, FUNCTION, NULL)) {
        number = o->number;
        if (((Function *) o)->module == module) {
            remove_object(o);
            free(o);
        }
    }
    remove_object(object);
    free(module->text);
    free(module);
}

CUresult cuModuleUnload(CUmodule handle) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    Object *module = find_to_free(handle, MODULE);
    status = freed_status(status, module);
    if (module != NULL) {
        free_object(module);
    }
    return leave(status);
}

static CUresult add_function(CUfunction *handle, const Module *module, const char *name) {
    const Kernel *kernel = find_kernel(name);
    if (kernel == NULL || !has_entry(module->text, name)) {
        return CUDA_ERROR_NOT_FOUND;
    }
    Function *function = calloc(1, sizeof *function);
    if (function == NULL) {
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    function->module = module;
    function->kernel = kernel;
    *handle = add_object(&function->object, FUNCTION, module->object.context);
    return CUDA_SUCCESS;
}

CUresult cuModuleGetFunction(CUfunction *handle, CUmodule module_handle, const char *name) {
    Context *context;
    CUresult status = enter_context(__func__, &context);
    const Module *module = (Module *) find_object(module_handle, MODULE);
    if (status == CUDA_SUCCESS && (module == NULL || module->object.context != context)) {
        status = CUDA_ERROR_INVALID_HANDLE;
    }
    return leave(status == CUDA_SUCCESS ? add_function(handle, module, name) : status);
}

/* Our kernels are one-dimensional, and have one argument and no shared memory. */
static bool fits(const unsigned grid[3], const unsigned block[3], void **parameters, void **extra) {
    return grid[0] > 0 && grid[0] <= 0x7FFFFFFF && grid[1] == 1 && grid[2] == 1 && block[0] > 0 && block[0] <= 1024
        && block[1] == 1 && block[2] == 1 && parameters != NULL && extra == NULL;
}

CUresult cuLaunchKernel(CUfunction handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
        unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream_handle, void **parameters,
        void **extra) {
    Context *context;
    Stream *stream;
    CUresult status = enter_context(__func__, &context);
    if (status == CUDA_SUCCESS) {
        status = find_own_stream(stream_handle, context, &stream);
    }
    const Function *function = (Function *) find_object(handle, FUNCTION);
    if (status == CUDA_SUCCESS && (function == NULL || function->object.context != context)) {
        status = CUDA_ERROR_INVALID_HANDLE;
    }
    if (status == CUDA_SUCCESS && (shared_bytes != 0 || !fits((unsigned[]) {grid_x, grid_y, grid_z},
            (unsigned[]) {block_x, block_y, block_z}, parameters, extra))) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status != CUDA_SUCCESS) {
        return leave(status);
    }
    Operation launch = {.kind = LAUNCH};
    launch.as.launch.kernel = function->kernel;
    launch.as.launch.threads = (int64_t) grid_x * block_x;
    memcpy(launch.as.launch.arguments.bytes, parameters[0], function->kernel->argument_bytes);
    return leave(submit(stream, &launch));
}
