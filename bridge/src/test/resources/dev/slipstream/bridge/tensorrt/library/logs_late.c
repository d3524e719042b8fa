/*
 * As much of a libnvinfer as a runtime needs that is made and freed. It keeps the logger that it is given, and logs from
 * a destructor that runs when the process ends. MAJOR is the version, LOG_SLOT where its ILogger has `log`.
 */
typedef struct Logger Logger;

struct Logger {
    void (*const *table)(Logger *logger, int severity, const char *message);
};

typedef void (*Function)(void);

static Logger *kept;

static void delete_object(void) {
}

static const Function table[] = {delete_object, delete_object};
static struct { const Function *table; void *implementation; } implementation = {table, 0};
static struct { const Function *table; void *implementation; } runtime = {table, &implementation};

int getInferLibVersion(void) {
    return MAJOR * 10000 + 203;
}

int getInferLibBuildVersion(void) {
    return 7;
}

void *createInferRuntime_INTERNAL(Logger *logger, int version) {
    (void) version;
    kept = logger;
    kept->table[LOG_SLOT](kept, 2, "said in time");
    return &runtime;
}

void *createInferBuilder_INTERNAL(Logger *logger, int version) {
    (void) logger;
    (void) version;
    return 0;
}

__attribute__((destructor)) static void log_late(void) {
    if (kept != 0) {
        kept->table[LOG_SLOT](kept, 1, "said too late");
    }
}
