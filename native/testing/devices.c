/* The library and its devices. */
#include "fake.h"
#include <stdio.h>
#include <string.h>

CUresult device_status(CUdevice device) {
    return device >= 0 && device < fake.device_count ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

static CUresult enter_device(const char *name, CUdevice device) {
    CUresult status = enter(name);
    return status == CUDA_SUCCESS ? device_status(device) : status;
}

CUresult cuInit(unsigned flags) {
    CUresult status = enter_library(__func__);
    if (status == CUDA_SUCCESS) {
        status = flags != 0 ? CUDA_ERROR_INVALID_VALUE : fake.init_result;
    }
    if (status == CUDA_SUCCESS && fake.device_count == 0) {
        status = CUDA_ERROR_NO_DEVICE;
    }
    if (status == CUDA_SUCCESS) {
        fake.initialised = true;
    }
    return leave(status);
}

CUresult cuDriverGetVersion(int *version) {
    CUresult status = enter_library(__func__);
    if (status == CUDA_SUCCESS) {
        *version = fake.version;
    }
    return leave(status);
}

CUresult cuDeviceGetCount(int *count) {
    CUresult status = enter(__func__);
    if (status == CUDA_SUCCESS) {
        *count = fake.device_count;
    }
    return leave(status);
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    CUresult status = enter_device(__func__, ordinal);
    if (status == CUDA_SUCCESS) {
        *device = ordinal;
    }
    return leave(status);
}

CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
    CUresult status = enter_device(__func__, device);
    if (status == CUDA_SUCCESS && length <= 0) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status == CUDA_SUCCESS) {
        snprintf(name, (size_t) length, "Stand-in GPU");
    }
    return leave(status);
}

CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device) {
    CUresult status = enter_device(__func__, device);
    if (status == CUDA_SUCCESS) {
        memcpy(uuid->bytes, "stand-in GPU   ", sizeof uuid->bytes);
        uuid->bytes[sizeof uuid->bytes - 1] = (char) device;
    }
    return leave(status);
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
    CUresult status = enter_device(__func__, device);
    if (status == CUDA_SUCCESS) {
        *bytes = fake.memory;
    }
    return leave(status);
}

/* Those of a small Hopper; what is not listed is 0. */
static int attribute_value(int attribute, CUdevice device) {
    switch (attribute) {
        case 1: return 1024; /* threads in a block, and below its dimensions */
        case 2: return 1024;
        case 3: return 1024;
        case 4: return 64;
        case 5: return 0x7FFFFFFF; /* blocks in a grid */
        case 6: return 65535;
        case 7: return 65535;
        case 8: return 48 << 10; /* shared memory of a block */
        case 10: return 32; /* threads in a warp */
        case 13: return 1000000; /* clock in kHz */
        case 16: return 4; /* multiprocessors */
        case 19: return 1; /* maps host memory */
        case 31: return 1; /* kernels run at the same time */
        case 33: return device + 1; /* PCI bus */
        case 38: return 1 << 20; /* level 2 cache */
        case 39: return 2048; /* threads of a multiprocessor */
        case 40: return 2; /* copy engines */
        case 41: return 1; /* one address space with the host */
        case 75: return 9; /* compute capability */
        case 76: return 0;
        case 115: return 1; /* memory pools */
        default: return 0;
    }
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    CUresult status = enter_device(__func__, device);
    if (status == CUDA_SUCCESS && attribute <= 0) {
        status = CUDA_ERROR_INVALID_VALUE;
    }
    if (status == CUDA_SUCCESS) {
        *value = attribute_value(attribute, device);
    }
    return leave(status);
}

CUresult cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer) {
    CUresult status = enter_device(__func__, device);
    if (status == CUDA_SUCCESS) {
        status = device_status(peer);
    }
    if (status == CUDA_SUCCESS) {
        *can = device != peer;
    }
    return leave(status);
}
