// The least that a C++ program does to run denoising steps: one TensorRT engine, queued again and again on one stream,
// directly and as a CUDA graph. The yardstick for `slipstream bench steps`, whose rows it prints as JSON.
//
//   engine_loop STORE [--driver LIB] [--steps N] [--rounds N]
//
// STORE is an engine store of Slipstream with one engine in it, so both loops run the same bytes. Needs no header of
// NVIDIA's: the driver API is C, and TensorRT 10 is called as its own header does, by the slots of its virtual tables.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "engine_loop: %s\n", why.c_str());
    std::exit(1);
}

// The CUDA driver.
void* cuda;

template <typename... Args>
void call(const char* name, Args... args) {
    auto function = reinterpret_cast<int (*)(Args...)>(dlsym(cuda, name));
    if (!function) fail(std::string("the driver has no ") + name);
    if (int code = function(args...)) fail(std::string(name) + " gave " + std::to_string(code));
}

using Handle = void*;
using Address = std::uint64_t;

// TensorRT 10: public objects are {vptr, implementation}, and their methods call a slot of the implementation's table.
struct Dims {
    std::int32_t count;
    std::int64_t d[8];
};

struct Logger {
    virtual void log(std::int32_t severity, const char* message) noexcept {
        if (severity <= 2) std::fprintf(stderr, "TensorRT: %s\n", message);
    }
    virtual ~Logger() = default;
};

template <typename Result, typename... Args>
Result slot(void* object, int index, Args... args) {
    void* implementation = static_cast<void**>(object)[1];
    void** table = *static_cast<void***>(implementation);
    return reinterpret_cast<Result (*)(void*, Args...)>(table[index])(implementation, args...);
}

template <typename T>
T* made(T* object, const char* what) {
    // Without a working driver TensorRT gives small numbers in place of pointers.
    if (reinterpret_cast<std::uintptr_t>(object) < 0x10000) fail(std::string(what) + " made nothing");
    return object;
}

// Sizes of TensorRT's element types by number: float, half, int8, int32, bool, uint8, fp8, bf16, int64.
constexpr std::int64_t ELEMENT_BYTES[] = {4, 2, 1, 4, 1, 1, 1, 2, 8};

// The payload of the only engine in a store; the format is that of the class StoredFile.
std::vector<char> engine(const std::string& store) {
    std::vector<std::filesystem::path> found;
    std::error_code none;
    for (const auto& file : std::filesystem::directory_iterator(store, none)) {
        if (file.path().extension() == ".engine") found.push_back(file.path());
    }
    if (found.size() != 1) fail(store + " has " + std::to_string(found.size()) + " engines, and one is needed");
    std::ifstream file(found[0], std::ios::binary);
    char header[24];
    std::uint32_t label;
    std::uint64_t bytes;
    if (!file.read(header, sizeof header) || std::memcmp(header, "\x89LSE", 4) != 0) fail("no stored engine");
    std::memcpy(&label, header + 12, 4);
    std::memcpy(&bytes, header + 16, 8);
    std::vector<char> payload(bytes);
    file.seekg((24 + label + 4095) / 4096 * 4096);
    if (!file.read(payload.data(), static_cast<std::streamsize>(bytes))) fail("the stored engine is cut off");
    return payload;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    std::size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double micros() {
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Way {
    const char* name;
    std::function<void()> queue;
    std::vector<double> step_ms;
    std::vector<double> host_us;
};

// All steps, two of them queued ahead, as Slipstream's loops do.
void run(Way& way, int steps, Handle stream, Handle (&done)[2]) {
    way.host_us.clear();
    double begin = micros();
    for (int step = 0; step < steps; step++) {
        if (step >= 2) call("cuEventSynchronize", done[step % 2]);
        double start = micros();
        way.queue();
        call("cuEventRecord", done[step % 2], stream);
        way.host_us.push_back(micros() - start);
    }
    call("cuStreamSynchronize", stream);
    way.step_ms.push_back((micros() - begin) / 1e3 / steps);
}

}  // namespace

int main(int argc, char** argv) {
    std::string store, driver = "libcuda.so.1";
    int steps = 50, rounds = 9;
    for (int i = 1; i < argc; i++) {
        std::string option = argv[i];
        if (option == "--driver" && i + 1 < argc) driver = argv[++i];
        else if (option == "--steps" && i + 1 < argc) steps = std::atoi(argv[++i]);
        else if (option == "--rounds" && i + 1 < argc) rounds = std::atoi(argv[++i]);
        else store = option;
    }
    if (store.empty() || steps < 1 || rounds < 1) {
        fail("usage: engine_loop STORE [--driver LIB] [--steps N] [--rounds N]");
    }
    cuda = dlopen(driver.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (!cuda) fail(dlerror());
    Handle context, stream, done[2];
    call("cuInit", 0u);
    call("cuDevicePrimaryCtxRetain", &context, 0);
    call("cuCtxSetCurrent", context);
    call("cuStreamCreateWithPriority", &stream, 1u, 0);
    for (Handle& event : done) call("cuEventCreate", &event, 2u);

    std::vector<char> bytes = engine(store);
    void* library = dlopen("libnvinfer.so.10", RTLD_NOW);
    if (!library) fail(dlerror());
    auto version = reinterpret_cast<std::int32_t (*)()>(dlsym(library, "getInferLibVersion"));
    auto create = reinterpret_cast<void* (*)(void*, std::int32_t)>(dlsym(library, "createInferRuntime_INTERNAL"));
    if (!version || !create || version() / 10000 != 10) fail("this is not TensorRT 10");
    static Logger logger;
    void* runtime = made(create(&logger, version()), "createInferRuntime");
    void* built = made(slot<void*>(runtime, 3, static_cast<const void*>(bytes.data()), bytes.size()), "deserialize");
    void* run_state = made(slot<void*>(built, 5, std::int32_t{0}), "createExecutionContext");
    int tensors = slot<std::int32_t>(built, 30);
    for (int i = 0; i < tensors; i++) {
        auto name = slot<const char*>(built, 31, std::int32_t{i});
        Dims dims = slot<Dims>(built, 19, name);
        std::int64_t size = ELEMENT_BYTES[slot<std::int32_t>(built, 20, name)];
        for (int d = 0; d < dims.count; d++) size *= dims.d[d];
        Address memory = 0;
        call("cuMemAlloc_v2", &memory, static_cast<std::size_t>(size));
        call("cuMemsetD8_v2", memory, static_cast<unsigned char>(0), static_cast<std::size_t>(size));
        if (!slot<bool>(run_state, 24, name, reinterpret_cast<void*>(memory))) {
            fail(std::string("no address for ") + name);
        }
    }
    auto enqueue = [&] {
        if (!slot<bool>(run_state, 37, stream)) fail("enqueueV3 was refused");
    };
    enqueue();
    call("cuStreamSynchronize", stream);
    Handle graph, executable;
    call("cuStreamBeginCapture_v2", stream, 2u);
    enqueue();
    call("cuStreamEndCapture", stream, &graph);
    call("cuGraphInstantiateWithFlags", &executable, graph, 0ull);

    Way ways[] = {{"C++, direct", enqueue, {}, {}},
                  {"C++, replayed", [&] { call("cuGraphLaunch", executable, stream); }, {}, {}}};
    for (Way& way : ways) {
        run(way, steps, stream, done);
        way.step_ms.clear();
    }
    for (int round = 0; round < rounds; round++) {
        for (int turn = 0; turn < 2; turn++) run(ways[(round + turn) % 2], steps, stream, done);
    }
    std::printf("[\n");
    for (Way& way : ways) {
        std::printf("  {\"way\": \"%s\", \"steps\": %d, \"step_ms\": %.4f, \"step_min_ms\": %.4f, "
                    "\"step_max_ms\": %.4f, \"host_us\": %.2f}%s\n", way.name, steps, median(way.step_ms),
                    *std::min_element(way.step_ms.begin(), way.step_ms.end()),
                    *std::max_element(way.step_ms.begin(), way.step_ms.end()), median(way.host_us),
                    &way == &ways[0] ? "," : "");
    }
    std::printf("]\n");
}
