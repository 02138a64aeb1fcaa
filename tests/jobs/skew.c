/* Loaded before a program (LD_PRELOAD), it sets the wall clock that the program sees SKEW_SECONDS ahead, or behind.
 * Waiting until a time of that clock ends when it would have ended: what waits knows the real clock alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>

/* No machine runs so long, and no clock that is set is so early: seconds. */
#define WALL_BEGINS 1000000000

static time_t skew(void) {
    static const char *text;
    static time_t seconds;
    if (!text) {
        text = getenv("SKEW_SECONDS");
        if (!text) text = "0";
        seconds = (time_t)atoll(text);
    }
    return seconds;
}

static int is_wall(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (code == 0 && is_wall(clock)) now->tv_sec += skew();
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone;
    int code = clock_gettime(CLOCK_REALTIME, &found);
    if (code == 0) *now = (struct timeval){.tv_sec = found.tv_sec, .tv_usec = found.tv_nsec / 1000};
    return code;
}

int timespec_get(struct timespec *now, int base) {
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

time_t time(time_t *now) {
    struct timespec found;
    if (clock_gettime(CLOCK_REALTIME, &found) != 0) return (time_t)-1;
    if (now) *now = found.tv_sec;
    return found.tv_sec;
}

/* Conditions may also be of the monotonic clock, which begins with the machine's start. */
static struct timespec unskewed(const struct timespec *until) {
    struct timespec own = *until;
    if (own.tv_sec > WALL_BEGINS) own.tv_sec -= skew();
    return own;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex, const struct timespec *restrict until) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!real) real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    struct timespec own = unskewed(until);
    return real(cond, mutex, &own);
}

/* librdkafka waits with the threads of C11, where libc has them. */
int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex, const struct timespec *restrict until) {
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "cnd_timedwait");
    struct timespec own = unskewed(until);
    return real(cond, mutex, &own);
}
