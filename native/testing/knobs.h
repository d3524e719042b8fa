/* What a test can do to the stand-in that it could not do to a driver. None of it is counted or fails. */
#ifndef SLIPSTREAM_KNOBS_H
#define SLIPSTREAM_KNOBS_H

#include "cuda_abi.h"

/*
 * Drops all work and all objects, and starts again with so many devices (at most 64) of so many bytes each. No other
 * thread may be in a call.
 */
EXPORT void fake_reset(int devices, size_t memory_bytes);

/*
 * Fails the n-th call from now, counted over all threads from 1, with this code and without effect. Calls that free or
 * end something are the exception: they report the code but do it all the same, as the driver reports errors of earlier
 * work from any call. An n of 0 or less disarms. With CUDA_ERROR_LAUNCH_FAILED the current context, or that which is to
 * become current, is lost, as by fake_lose_device.
 */
EXPORT void fake_fail_call(long n, int code);

/* Driver calls since fake_reset. */
EXPORT long fake_calls(void);

/* The call that fake_fail_call failed last, or an empty string since it was armed again. */
EXPORT const char *fake_last_failed_name(void);

/*
 * As if a kernel had crashed: queued work is dropped, waiters go on, and each call on the device's context returns
 * CUDA_ERROR_LAUNCH_FAILED; so does retaining it anew, until fake_new_process. Calls that free something return it too,
 * and free it.
 */
EXPORT void fake_lose_device(int ordinal);

/* As in a new process: no device is lost. To be called when nothing is alive. */
EXPORT void fake_new_process(void);

/*
 * Retained contexts and the objects that are alive; objects whose context was released before them, though not on a
 * lost device, where that is the way to free them; and misuses that a driver would not notice: memory that was freed
 * before queued work that touches it, and graphs that touch memory which is freed.
 */
EXPORT long fake_live_handles(void);

/* A line for each of them. Returns the length without the final 0 that a buffer of any size would have had. */
EXPORT size_t fake_live_report(char *buffer, size_t size);

/* What cuDriverGetVersion says, such as 13000; fake_reset sets it back. */
EXPORT void fake_driver_version(int version);

/* What cuInit returns; fake_reset sets it back to success. */
EXPORT void fake_init_result(int code);

/*
 * From now on a query waits until what it asks for is done, so that a program which asks again and again makes the same
 * calls each time. fake_reset ends it.
 */
EXPORT void fake_patient(int on);

/* Whether captures take cuMemcpyPeerAsync. At first, and after fake_reset, they do not. */
EXPORT void fake_capture_peer_copies(int on);

/*
 * Calls a function at the end of the next call of this driver function, on its thread and before it returns; as if the
 * thread were held up there. Once; a null function disarms.
 */
EXPORT void fake_after_call(const char *name, void (*function)(void));

#endif
