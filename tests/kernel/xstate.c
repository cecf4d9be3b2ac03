/* Lets User-Mode Linux 6.1 run on a processor with AMX, where it dies with "ptrace set fp regs failed, errno = 14".
 *
 * It keeps a guest process's registers in a buffer of fixed size. Linux takes registers only whole (xstateregs_set in
 * arch/x86/kernel/fpu/regset.c), and with AMX the whole is 11 kB. So the part that the guest's kernel knows is written
 * over what the process has, and all of it goes back. boot.py loads this before linux.uml's own ptrace.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define NT_X86_XSTATE 0x202
#define MOST 65536
#define FEATURES 512 /* where the header begins: which components the registers hold (Intel SDM, vol. 1, 13.4.2) */
#define KNOWN 0x2ffUL /* x87, SSE, AVX, MPX, AVX-512, PKRU: those within the guest's buffer */

static char whole[MOST]; /* not on the stack: the guest's kernel has small ones; it has one CPU */

long ptrace(enum __ptrace_request request, ...)
{
	static long (*real)(enum __ptrace_request, ...);
	va_list arguments;
	va_start(arguments, request);
	int pid = va_arg(arguments, int);
	void *address = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);
	if (!real)
		real = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
	if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE) {
		struct iovec *given = data, all = {whole, MOST};
		long result = real(PTRACE_GETREGSET, pid, address, &all);
		if (result < 0 || given->iov_len >= all.iov_len)
			return result < 0 ? result : real(request, pid, address, data);
		unsigned long before, after;
		memcpy(&before, whole + FEATURES, sizeof before);
		memcpy(whole, given->iov_base, given->iov_len);
		memcpy(&after, whole + FEATURES, sizeof after);
		after = (after & KNOWN) | (before & ~KNOWN);
		memcpy(whole + FEATURES, &after, sizeof after);
		return real(request, pid, address, &all);
	}
	return real(request, pid, address, data);
}
