/*
 * A TensorRT 10.15 that does nothing: objects with tables of virtual methods, laid out as C++ does, of which the two of
 * the loop count and return true, and those that lead to them return the next object. A call of another slot ends the
 * process.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Slots of 10.x: IRuntime, ICudaEngine and IExecutionContext are {table, implementation}, and what is called are the
   methods of the implementation. The object's own table has only the destructors. */
enum {DESERIALIZE_ENGINE = 3, CREATE_CONTEXT = 5, SET_TENSOR_ADDRESS = 24, ENQUEUE = 37, SLOTS = 64};

typedef void (*Function)(void);
typedef struct {const Function *table;} Implementation;
typedef struct {const Function *table; const Implementation *implementation;} Object;

/* Calls of the two methods of the loop. */
long null_calls;

static void wrong_slot(void) {
    fputs("a slot was called that this TensorRT does not have\n", stderr);
    abort();
}

static void delete_object(void) {
}

static char set_tensor_address(void) {
    null_calls++;
    return 1;
}

static char enqueue(void) {
    null_calls++;
    return 1;
}

#define UNLESS_GIVEN [0 ... SLOTS - 1] = wrong_slot
#define OBJECT(name) static const Object name = {destructors, &name##_implementation}

static const Function destructors[] = {delete_object, delete_object};

static const Function context_table[SLOTS] = {
    UNLESS_GIVEN, [SET_TENSOR_ADDRESS] = (Function) set_tensor_address, [ENQUEUE] = (Function) enqueue};
static const Implementation context_implementation = {context_table};
OBJECT(context);

static const Object *create_context(void) {
    return &context;
}

static const Function engine_table[SLOTS] = {UNLESS_GIVEN, [CREATE_CONTEXT] = (Function) create_context};
static const Implementation engine_implementation = {engine_table};
OBJECT(engine);

static const Object *deserialize_engine(void) {
    return &engine;
}

static const Function runtime_table[SLOTS] = {UNLESS_GIVEN, [DESERIALIZE_ENGINE] = (Function) deserialize_engine};
static const Implementation runtime_implementation = {runtime_table};
OBJECT(runtime);

int32_t getInferLibVersion(void) {
    return 101501;
}

int32_t getInferLibBuildVersion(void) {
    return 29;
}

const Object *createInferRuntime_INTERNAL(void) {
    return &runtime;
}

const void *createInferBuilder_INTERNAL(void) {
    return NULL;
}
