// SPDX-License-Identifier: MIT
/* notify_log PATH: prints what comes to the datagram socket PATH (as systemd would get it), a line
 * for each word, until it is killed. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[1024];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(a.sun_path))
		return 2;
	memcpy(a.sun_path, argv[1], strlen(argv[1]));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		perror("notify_log");
		return 1;
	}
	while ((n = recv(fd, text, sizeof(text), 0)) >= 0) {
		printf("%.*s\n", (int)n, text);
		fflush(stdout);
	}
	return 1;
}
