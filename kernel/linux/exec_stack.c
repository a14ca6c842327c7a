/*
 * From the top down: a zero word, the path of the program, environment and argument strings, the platform's name, 16 random
 * bytes; then aligned to 16 bytes, from the stack pointer up: argc, argv, NULL, envp, NULL, auxiliary vector.
 */
#include "kernel/linux/exec_stack.h"

#include "kernel/core/random.h"
#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Mapped at the start; the rest grows by faults. */
#define STACK_START MIB(1)
/* The program's stack pointer begins up to this far below the top, in steps of 16 bytes. */
#define STACK_SHIFT_MAX 8192

#define AUXV_MAX 48 /* words */
#define RSEQ_FEATURE_SIZE 28
#define RSEQ_ALIGN 32
/* A signal frame without the FPU's part: alignment, red zone, ucontext, siginfo (Linux arch/x86/kernel/signal.c). */
#define SIGNAL_FRAME_MAX 1024

struct builder {
	uintptr_t sp; /* strings go below it */
	uintptr_t limit;
	uint64_t *vector; /* argc to AT_NULL, in kernel memory */
	unsigned nr, nr_max;
	int error;
};

/* Puts LEN bytes on the stack, and gives their address. */
static uintptr_t push_bytes(struct builder *b, const void *bytes, size_t len)
{
	if (b->error)
		return 0;
	if (len > b->sp - b->limit) {
		b->error = -E2BIG;
		return 0;
	}
	b->sp -= len;
	b->error = user_write((void *)b->sp, bytes, len);
	return b->sp;
}

static uintptr_t push_string(struct builder *b, const char *text)
{
	return push_bytes(b, text, strlen(text) + 1);
}

static void add_word(struct builder *b, uint64_t word)
{
	if (b->nr < b->nr_max)
		b->vector[b->nr++] = word;
	else
		b->error = -E2BIG;
}

static void add_aux(struct builder *b, uint64_t type, uint64_t value)
{
	add_word(b, type);
	add_word(b, value);
}

static unsigned strings_count(char *const *strings)
{
	unsigned n = 0;

	while (strings[n])
		n++;
	return n;
}

/* Strings from the last to the first, so that they lie in order; their addresses into the vector from AT on. */
static void strings_push(struct builder *b, char *const *strings, unsigned n, unsigned at)
{
	b->vector[at + n] = 0;
	for (unsigned i = n; i-- > 0;)
		b->vector[at + i] = push_string(b, strings[i]);
}

static void auxv_add(struct builder *b, const struct exec_image *image, uintptr_t platform, uintptr_t random,
		     uintptr_t path)
{
	struct process *process = process_current();
	const struct cred *cred = &process->fs.cred;

	if (process->vdso)
		add_aux(b, AT_SYSINFO_EHDR, process->vdso);
	add_aux(b, AT_HWCAP, arch_hwcap());
	add_aux(b, AT_PAGESZ, PAGE_SIZE);
	add_aux(b, AT_CLKTCK, 100);
	add_aux(b, AT_PHDR, image->phdrs);
	add_aux(b, AT_PHENT, 56);
	add_aux(b, AT_PHNUM, image->nr_phdrs);
	add_aux(b, AT_BASE, image->base);
	add_aux(b, AT_FLAGS, 0);
	add_aux(b, AT_ENTRY, image->entry);
	add_aux(b, AT_UID, cred->uid);
	add_aux(b, AT_EUID, cred->euid);
	add_aux(b, AT_GID, cred->gid);
	add_aux(b, AT_EGID, cred->egid);
	add_aux(b, AT_SECURE, 0);
	add_aux(b, AT_RANDOM, random);
	add_aux(b, AT_HWCAP2, 0);
	add_aux(b, AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_SIZE);
	add_aux(b, AT_RSEQ_ALIGN, RSEQ_ALIGN);
	add_aux(b, AT_EXECFN, path);
	add_aux(b, AT_PLATFORM, platform);
	add_aux(b, AT_MINSIGSTKSZ, SIGNAL_FRAME_MAX + arch_fpu_size());
	add_aux(b, AT_NULL, 0);
}

static int stack_map(struct process *process, const struct exec_image *image)
{
	size_t len = MIN(STACK_START, ALIGN_DOWN(process->vm->limit_stack, PAGE_SIZE));
	uintptr_t start = process->vm->stack_top - len;
	unsigned prot = PT_READ | PT_WRITE | (image->stack_exec ? PT_EXEC : 0);

	return vm_map(process->vm, &start, len, prot, VM_FIXED_NOREPLACE | VM_GROWSDOWN | VM_STACK, NULL, 0);
}

static void auxv_keep(struct process *process, const uint64_t *auxv, unsigned n)
{
	process->auxv_len = n;
	memcpy(process->auxv, auxv, n * sizeof(*auxv));
}

static void vector_fill(struct builder *b, const struct exec_args *args, const struct exec_image *image)
{
	struct process *process = process_current();
	unsigned argc = strings_count(args->argv), envc = strings_count(args->envp);
	uintptr_t path, platform, random;
	uint64_t bytes[2];

	push_bytes(b, &(uint64_t){ 0 }, sizeof(uint64_t));
	path = push_string(b, args->path);
	process->env_end = b->sp;
	strings_push(b, args->envp, envc, argc + 2);
	process->env_start = process->args_end = b->sp;
	strings_push(b, args->argv, argc, 1);
	process->args_start = b->sp;
	platform = push_string(b, "x86_64");
	random_bytes(bytes, sizeof(bytes));
	random = push_bytes(b, bytes, sizeof(bytes));
	b->vector[0] = argc;
	b->nr = argc + envc + 3;
	auxv_add(b, image, platform, random, path);
	auxv_keep(process, b->vector + argc + envc + 3, b->nr - (argc + envc + 3));
}

int exec_stack_build(const struct exec_args *args, const struct exec_image *image, uintptr_t *sp)
{
	struct process *process = process_current();
	unsigned nr_max = strings_count(args->argv) + strings_count(args->envp) + 3 + AUXV_MAX;
	struct builder b = { .nr_max = nr_max };
	int error = stack_map(process, image);

	if (error)
		return error;
	if (nr_max > EXEC_ARGS_MAX / sizeof(uint64_t))
		return -E2BIG;
	b.vector = kmalloc(nr_max * sizeof(uint64_t));
	if (!b.vector)
		return -ENOMEM;
	b.sp = process->vm->stack_top - random_below(STACK_SHIFT_MAX / 16) * 16;
	b.limit = b.sp - EXEC_ARGS_MAX;
	vector_fill(&b, args, image);
	b.sp = ALIGN_DOWN(b.sp - b.nr * sizeof(uint64_t), 16);
	if (!b.error)
		b.error = user_write((void *)b.sp, b.vector, b.nr * sizeof(uint64_t));
	kfree(b.vector);
	*sp = b.sp;
	return b.error;
}
