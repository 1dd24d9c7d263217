// SPDX-License-Identifier: MIT
/* See filter.h. */
#include "lib/filter.h"

#include <sys/mman.h>

int sluice_filter_names(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int n = seccomp_syscall_resolve_name(names[i]), err;

		if (n == __NR_SCMP_ERROR)
			continue; /* newer than this libseccomp, or of another architecture */
		err = seccomp_rule_add(f, action, n, 0);
		if (err)
			return err;
	}
	return 0;
}

int sluice_filter_memory(scmp_filter_ctx f)
{
	const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC,
					       PROT_WRITE));
		if (!err)
			err = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 1,
					       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE, 0));
	}
	return err;
}
