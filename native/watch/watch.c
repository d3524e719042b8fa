// watch LOG COMMAND [ARGUMENT ...]: runs a command and notes what it, its threads and its children do to files and the
// network, one line an action: a word, a tab, a path or an address. Reading is not noted. It sees system calls, whoever
// makes them and however, and notes what was tried, not whether it worked. Its exit code is the command's (128 and the
// signal if one ended it), or 127 if this machine does not let it watch.
//
// The kernel stops the command at the calls that a filter names (SECCOMP_RET_TRACE), so that others cost nothing.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// <sys/ptrace.h> and <linux/ptrace.h> exclude each other.
extern long ptrace(int request, ...);

enum { CANNOT_WATCH = 127, AT_PARENT = -1, NONE = -2 };

// Where a call has its paths: the argument with the folder's descriptor (AT_PARENT: relative to the working folder) and
// that with the path; then the same of a second path. `flags` is the argument with those of open.
struct call {
    int number;
    const char *word;
    int folder, path, folder2, path2, flags;
};

static const struct call CALLS[] = {
#ifdef SYS_open
    {SYS_open, "write", AT_PARENT, 0, NONE, NONE, 1},
    {SYS_creat, "write", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_mkdir, "folder", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_mknod, "write", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_unlink, "delete", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_rmdir, "delete", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_rename, "move", AT_PARENT, 0, AT_PARENT, 1, NONE},
    {SYS_link, "link", AT_PARENT, 0, AT_PARENT, 1, NONE},
    {SYS_symlink, "link", AT_PARENT, 1, NONE, NONE, NONE},
    {SYS_chmod, "change", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_chown, "change", AT_PARENT, 0, NONE, NONE, NONE},
#endif
#ifdef SYS_renameat
    {SYS_renameat, "move", 0, 1, 2, 3, NONE},
#endif
    {SYS_openat, "write", 0, 1, NONE, NONE, 2},
    {SYS_mkdirat, "folder", 0, 1, NONE, NONE, NONE},
    {SYS_mknodat, "write", 0, 1, NONE, NONE, NONE},
    {SYS_unlinkat, "delete", 0, 1, NONE, NONE, NONE},
    {SYS_renameat2, "move", 0, 1, 2, 3, NONE},
    {SYS_linkat, "link", 0, 1, 2, 3, NONE},
    {SYS_symlinkat, "link", 1, 2, NONE, NONE, NONE},
    {SYS_fchmodat, "change", 0, 1, NONE, NONE, NONE},
    {SYS_fchownat, "change", 0, 1, NONE, NONE, NONE},
    {SYS_truncate, "write", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_setxattr, "change", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_execve, "run", AT_PARENT, 0, NONE, NONE, NONE},
    {SYS_execveat, "run", 0, 1, NONE, NONE, NONE},
    {SYS_openat2, "openat2", 0, 1, NONE, NONE, NONE},
    {SYS_socket, "socket", NONE, NONE, NONE, NONE, NONE},
    {SYS_connect, "connect", NONE, 1, NONE, NONE, NONE},
    {SYS_bind, "bind", NONE, 1, NONE, NONE, NONE},
    {SYS_sendto, "send", NONE, 4, NONE, NONE, NONE},
    {SYS_sendmsg, "send", NONE, NONE, NONE, NONE, NONE},
    {SYS_sendmmsg, "send", NONE, NONE, NONE, NONE, NONE},
    // Would do all of this without a call for each.
    {SYS_io_uring_setup, "io_uring", NONE, NONE, NONE, NONE, NONE},
};
enum { COUNT = sizeof CALLS / sizeof *CALLS };

static FILE *lines;

static void give_up(const char *what) {
    fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
    _exit(CANNOT_WATCH);
}

static void install_filter(void) {
    struct sock_filter code[2 * COUNT + 2];
    int n = 0;
    code[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < COUNT; i++) {
        code[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS[i].number, 0, 1);
        code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {n, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        give_up("no filter");
    }
}

// Up to `size` bytes of another process, as many as lie on mapped pages.
static size_t copy(pid_t pid, uint64_t from, void *to, size_t size) {
    size_t done = 0;
    while (done < size) {
        size_t part = 4096 - (from + done) % 4096;
        part = part < size - done ? part : size - done;
        struct iovec local = {(char *) to + done, part}, remote = {(void *) (uintptr_t) (from + done), part};
        if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t) part) {
            break;
        }
        done += part;
    }
    return done;
}

static void note_path(pid_t pid, const uint64_t *arguments, int folder, int path) {
    char text[PATH_MAX] = "", link[64], base[PATH_MAX] = "";
    text[copy(pid, arguments[path], text, sizeof text - 1)] = 0;
    if (text[0] != '/') {
        if (folder == AT_PARENT || (int) arguments[folder] == AT_FDCWD) {
            snprintf(link, sizeof link, "/proc/%d/cwd", pid);
        } else {
            snprintf(link, sizeof link, "/proc/%d/fd/%d", pid, (int) arguments[folder]);
        }
        ssize_t length = readlink(link, base, sizeof base - 1);
        base[length < 0 ? 0 : length] = 0;
    }
    fprintf(lines, "\t%s%s%s", base, base[0] ? "/" : "", text);
}

static void note_address(pid_t pid, uint64_t from, uint64_t size) {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
        struct sockaddr_un local;
    } address;
    char text[INET6_ADDRSTRLEN] = "";
    memset(&address, 0, sizeof address);
    copy(pid, from, &address, size < sizeof address ? size : sizeof address);
    switch (address.any.sa_family) {
        case AF_UNIX:
            fprintf(lines, "\t%.*s", (int) sizeof address.local.sun_path, address.local.sun_path);
            break;
        case AF_INET:
            fprintf(lines, "\t%s:%d", inet_ntop(AF_INET, &address.four.sin_addr, text, sizeof text),
                ntohs(address.four.sin_port));
            break;
        case AF_INET6:
            fprintf(lines, "\t[%s]:%d", inet_ntop(AF_INET6, &address.six.sin6_addr, text, sizeof text),
                ntohs(address.six.sin6_port));
            break;
        default:
            fprintf(lines, "\tfamily %d", address.any.sa_family);
    }
}

static void note(pid_t pid) {
    struct ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_SECCOMP) {
        fprintf(lines, "unknown\t\n");
        return;
    }
    uint64_t arguments[6];
    for (int i = 0; i < 6; i++) {
        arguments[i] = info.seccomp.args[i];
    }
    const struct call *call = CALLS;
    while (call->number != (int) info.seccomp.nr) {
        call++;
    }
    if (call->number == SYS_sendto && arguments[call->path] == 0) {
        // To where it is connected, which has been noted.
        return;
    }
    uint64_t flags = call->flags == NONE ? O_WRONLY : arguments[call->flags];
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) == 0) {
        return;
    }
    fprintf(lines, "%s", call->word);
    if (call->number == SYS_socket) {
        fprintf(lines, "\t%s", arguments[0] == AF_UNIX ? "local" : arguments[0] == AF_INET || arguments[0] == AF_INET6
            ? "internet" : "other");
    } else if (call->number == SYS_connect || call->number == SYS_bind || call->number == SYS_sendto) {
        note_address(pid, arguments[call->path], arguments[call->path + 1]);
    } else if (call->path != NONE) {
        note_path(pid, arguments, call->folder, call->path);
        if (call->path2 != NONE) {
            note_path(pid, arguments, call->folder2, call->path2);
        }
    }
    fprintf(lines, "\n");
}

static int watch(pid_t command) {
    int code = CANNOT_WATCH, status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (pid == command) {
                code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            }
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16;
        if (event == PTRACE_EVENT_SECCOMP) {
            note(pid);
        }
        // New threads and processes begin with SIGSTOP.
        ptrace(PTRACE_CONT, pid, 0L, (long) (event != 0 || signal == SIGSTOP ? 0 : signal));
    }
    return code;
}

int main(int count, char **arguments) {
    if (count < 3 || (lines = fopen(arguments[1], "we")) == NULL) {
        give_up("watch LOG COMMAND [ARGUMENT ...]");
    }
    pid_t command = fork();
    if (command == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0L, 0L)) {
            give_up("no ptrace");
        }
        raise(SIGSTOP);
        install_filter();
        execvp(arguments[2], arguments + 2);
        give_up(arguments[2]);
    }
    int status;
    long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK
        | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (command < 0 || waitpid(command, &status, __WALL) != command || !WIFSTOPPED(status)
        || ptrace(PTRACE_SETOPTIONS, command, 0L, options) || ptrace(PTRACE_CONT, command, 0L, 0L)) {
        give_up("cannot watch");
    }
    int code = watch(command);
    fclose(lines);
    return code;
}
