/* Memory that cameras share, on a machine whose kernel has neither udmabuf nor DMA heaps: plain memory files.
 *
 * Preloaded into a program with libcamera's virtual camera. It also makes that camera fail: as long as the file
 * that LIBCAMERA_FAULT names is there, whoever writes a picture waits ("hang"), or cannot ("fail": libcamera aborts).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int opened(const char *name, const char *path, int flags, va_list more) {
    if (!strcmp(path, "/dev/udmabuf") || !strncmp(path, "/dev/dma_heap/", 14))
        return memfd_create("dma", MFD_CLOEXEC);
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
    return real(path, flags, flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int fd = opened("open", path, flags, more);
    va_end(more);
    return fd;
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int fd = opened("open64", path, flags, more);
    va_end(more);
    return fd;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    switch (request) {
    case UDMABUF_CREATE:
        return fcntl(((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
    case DMA_HEAP_IOCTL_ALLOC: {
        struct dma_heap_allocation_data *wanted = argument;
        int made = memfd_create("dma", MFD_CLOEXEC);
        if (made < 0 || ftruncate(made, wanted->len) < 0)
            return -1;
        wanted->fd = made;
        return 0;
    }
    case DMA_BUF_IOCTL_SYNC:
    case DMA_BUF_SET_NAME_A:
    case DMA_BUF_SET_NAME_B:
        return 0;
    }
    int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    return real(fd, request, argument);
}

/* What is wrong now: the first letter in the file, or 0. */
static char fault(void) {
    const char *path = getenv("LIBCAMERA_FAULT");
    char letter = 0;
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = path ? real(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    if (read(fd, &letter, 1) < 1)
        letter = 0;
    close(fd);
    return letter;
}

static void *mapped(const char *name, void *at, size_t length, int prot, int flags, int fd, off_t offset) {
    void *(*real)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, name);
    /* Only the virtual camera maps memory to write into it and not to read. */
    if (prot == PROT_WRITE && flags == MAP_SHARED) {
        while (fault() == 'h')
            usleep(20000);
        if (fault() == 'f') {
            errno = EIO;
            return MAP_FAILED;
        }
    }
    return real(at, length, prot, flags, fd, offset);
}

void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t offset) {
    return mapped("mmap", at, length, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int prot, int flags, int fd, off_t offset) {
    return mapped("mmap64", at, length, prot, flags, fd, offset);
}
