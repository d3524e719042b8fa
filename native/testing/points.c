/* Places in streams that somebody waits for: each record of an event is one, so that a later record changes no wait. */
#include "fake.h"
#include <stdlib.h>
#include <time.h>

Point *new_point(void) {
    Point *point = calloc(1, sizeof *point);
    if (point == NULL) {
        abort();
    }
    point->references = 1;
    return point;
}

Point *share_point(Point *point) {
    point->references++;
    return point;
}

void release_point(Point *point) {
    if (point != NULL && --point->references == 0) {
        free(point);
    }
}

void finish_point(Point *point, CUresult result) {
    if (!point->done) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        point->nanoseconds = (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
        point->result = result;
        point->done = true;
        pthread_cond_broadcast(&fake.progress);
    }
}

/* Takes over the caller's share. */
CUresult wait_for_point(Point *point) {
    while (!point->done) {
        pthread_cond_wait(&fake.progress, &fake.lock);
    }
    CUresult result = point->result;
    release_point(point);
    return result;
}
