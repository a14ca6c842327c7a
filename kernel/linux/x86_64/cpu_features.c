/*
 * See cpu_features.h. Bits and leaves: Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E. Names of the flags: Linux
 * arch/x86/include/asm/cpufeatures.h, those that CPUID tells directly.
 */
#include "kernel/linux/cpu_features.h"

#include "kernel/arch/x86_64/cpuid.h"
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "lib/string.h"

/* ---- Flags ------------------------------------------------------------------------------------------------------- */

enum flag_register { REG_A, REG_B, REG_C, REG_D };

/* Names of the bits of one register, bit 0 first, separated by spaces; "-" for those without one. */
struct flag_word {
	uint32_t leaf, subleaf;
	enum flag_register reg;
	const char *names;
};

static const struct flag_word flag_words[] = {
	{ 1, 0, REG_D,
	  "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 "
	  "ss ht tm ia64 pbe" },
	{ 0x80000001, 0, REG_D,
	  "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow" },
	{ 0x80000007, 0, REG_D, "- - - - - - - - constant_tsc" },
	{ 1, 0, REG_C,
	  "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 "
	  "x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor" },
	{ 0x80000001, 0, REG_C,
	  "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp "
	  "fma4 tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx" },
	{ 7, 0, REG_B,
	  "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx "
	  "smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl" },
	{ 0xd, 1, REG_A, "xsaveopt xsavec xgetbv1 xsaves" },
	{ 7, 1, REG_A, "- - - - avx_vnni avx512_bf16" },
	{ 0x80000008, 0, REG_B, "clzero irperf xsaveerptr - rdpru - - - - wbnoinvd" },
	{ 7, 0, REG_C,
	  "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni avx512_bitalg tme "
	  "avx512_vpopcntdq - la57 - - - - - rdpid - bus_lock_detect cldemote - movdiri movdir64b enqcmd" },
	{ 7, 0, REG_D,
	  "- - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - md_clear - - - serialize - tsxldtrk - "
	  "pconfig arch_lbr ibt - amx_bf16 avx512_fp16 amx_tile amx_int8 - - flush_l1d arch_capabilities" },
};

static uint32_t register_of(const struct cpuid *leaf, enum flag_register reg)
{
	switch (reg) {
	case REG_A:
		return leaf->a;
	case REG_B:
		return leaf->b;
	case REG_C:
		return leaf->c;
	case REG_D:
		return leaf->d;
	}
	return 0;
}

static void flags_append(struct pseudo_text *out)
{
	for (unsigned i = 0; i < ARRAY_SIZE(flag_words); i++) {
		const struct flag_word *word = &flag_words[i];
		uint32_t base = word->leaf & CPUID_EXTENDED;
		struct cpuid leaf = cpuid_leaf(base, word->leaf, word->subleaf);
		uint32_t bits = register_of(&leaf, word->reg);

		for (const char *name = word->names; *name; bits >>= 1) {
			size_t len = 0;

			while (name[len] && name[len] != ' ')
				len++;
			if (bits & 1 && name[0] != '-') {
				pseudo_puts(out, " ");
				pseudo_write(out, name, len);
			}
			name += len + (name[len] == ' ');
		}
	}
}

/* ---- /proc/cpuinfo ----------------------------------------------------------------------------------------------- */

static void vendor_append(struct pseudo_text *out)
{
	struct cpuid leaf = cpuid_leaf(CPUID_BASIC, 0, 0);
	uint32_t text[3] = { leaf.b, leaf.d, leaf.c };

	pseudo_puts(out, "vendor_id\t: ");
	pseudo_write(out, text, strnlen((const char *)text, sizeof(text)));
	pseudo_puts(out, "\n");
}

static void model_name_append(struct pseudo_text *out)
{
	uint32_t text[12];
	const char *name = (const char *)text;
	size_t len;

	for (unsigned i = 0; i < 3; i++) {
		struct cpuid leaf = cpuid_leaf(CPUID_EXTENDED, CPUID_EXTENDED + 2 + i, 0);

		memcpy(&text[i * 4], (const uint32_t[]){ leaf.a, leaf.b, leaf.c, leaf.d }, 16);
	}
	len = strnlen(name, sizeof(text));
	while (len && name[len - 1] == ' ')
		len--;
	while (len && *name == ' ') {
		name++;
		len--;
	}
	pseudo_puts(out, "model name\t: ");
	if (len)
		pseudo_write(out, name, len);
	else
		pseudo_puts(out, "unknown");
	pseudo_puts(out, "\n");
}

static uint64_t ticks_khz(void)
{
	const struct clock_source *source = clock_source_ticks();

	return source ? source->hz / 1000 : 0;
}

void cpu_features_append(struct pseudo_text *out, unsigned cpu)
{
	struct cpuid leaf = cpuid_leaf(CPUID_BASIC, 1, 0), sizes = cpuid_leaf(CPUID_EXTENDED, 0x80000008, 0);
	unsigned family = leaf.a >> 8 & 15, model = leaf.a >> 4 & 15, online = READ_ONCE(nr_cpus_online);
	uint64_t khz = ticks_khz();
	struct cpu_cache cache, last = { 0 };

	if (family >= 6)
		model |= (leaf.a >> 16 & 15) << 4;
	if (family == 15)
		family += leaf.a >> 20 & 255;
	for (unsigned i = 0; cpu_cache_get(i, &cache); i++)
		last = cache;
	pseudo_printf(out, "processor\t: %u\n", cpu);
	vendor_append(out);
	pseudo_printf(out, "cpu family\t: %u\nmodel\t\t: %u\n", family, model);
	model_name_append(out);
	pseudo_printf(out, "stepping\t: %u\nmicrocode\t: 0x1\ncpu MHz\t\t: %lu.%03lu\ncache size\t: %u KB\n",
		      leaf.a & 15, khz / 1000, khz % 1000, last.line * last.partitions * last.ways * last.sets / 1024);
	pseudo_printf(out, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", online, cpu, online);
	pseudo_printf(out, "apicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\n",
		      cpus[cpu].apic_id, cpus[cpu].apic_id);
	pseudo_printf(out, "cpuid level\t: %u\nwp\t\t: yes\nflags\t\t:", cpuid_leaf(CPUID_BASIC, 0, 0).a);
	flags_append(out);
	pseudo_printf(out, "\nbugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: %u\n",
		      khz * 2 / 1000, khz * 2 / 10 % 100, (leaf.b >> 8 & 255) * 8, (leaf.b >> 8 & 255) * 8);
	pseudo_printf(out, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n", sizes.a & 255,
		      sizes.a >> 8 & 255);
}

/* ---- Caches ------------------------------------------------------------------------------------------------------ */

#define CPUID_CACHE_INTEL 4u
#define CPUID_CACHE_AMD 0x8000001du
#define CPUID_TOPOEXT (1u << 22) /* 80000001 ECX: leaf 8000001d is there, in the form of Intel's leaf 4 */

bool cpu_cache_get(unsigned index, struct cpu_cache *out)
{
	struct cpuid leaf;

	if (cpuid_leaf(CPUID_EXTENDED, 0x80000001, 0).c & CPUID_TOPOEXT)
		leaf = cpuid_leaf(CPUID_EXTENDED, CPUID_CACHE_AMD, index);
	else
		leaf = cpuid_leaf(CPUID_BASIC, CPUID_CACHE_INTEL, index);
	*out = (struct cpu_cache){ .level = leaf.a >> 5 & 7,
				   .type = leaf.a & 31,
				   .line = (leaf.b & 0xfff) + 1,
				   .partitions = (leaf.b >> 12 & 0x3ff) + 1,
				   .ways = (leaf.b >> 22) + 1,
				   .sets = leaf.c + 1,
				   .shared_by = (leaf.a >> 14 & 0xfff) + 1 };
	return index < 16 && out->type >= 1 && out->type <= 3;
}
