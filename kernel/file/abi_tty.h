/*
 * Terminals, as Linux's x86-64 ABI has them: include/uapi/asm-generic/{ioctls,termios,termbits}.h; ioctl_tty(2),
 * termios(3). The kernel's struct termios is not the C library's.
 */
#ifndef KERNEL_FILE_ABI_TTY_H
#define KERNEL_FILE_ABI_TTY_H

#include <stdint.h>

#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404
#define TCSBRK 0x5409
#define TCXONC 0x540A
#define TCFLSH 0x540B
#define TIOCSCTTY 0x540E
#define TIOCGPGRP 0x540F
#define TIOCSPGRP 0x5410
#define TIOCOUTQ 0x5411
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define TIOCINQ 0x541B
#define TIOCNOTTY 0x5422
#define TCSBRKP 0x5425
#define TIOCGSID 0x5429

#define NCCS_KERNEL 19

struct linux_termios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[NCCS_KERNEL];
};
_Static_assert(sizeof(struct linux_termios) == 36, "ioctl_tty(2), TCGETS");

struct linux_winsize {
	uint16_t rows, columns, x_pixels, y_pixels;
};
_Static_assert(sizeof(struct linux_winsize) == 8, "ioctl_tty(2), TIOCGWINSZ");

/* Indices of cc */
#define VINTR 0
#define VQUIT 1
#define VERASE 2
#define VKILL 3
#define VEOF 4
#define VTIME 5
#define VMIN 6
#define VSTART 8
#define VSTOP 9
#define VSUSP 10
#define VEOL 11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE 14
#define VLNEXT 15
#define VEOL2 16
/* iflag */
#define IGNBRK 0000001
#define BRKINT 0000002
#define IGNCR 0000200
#define ICRNL 0000400
#define INLCR 0000100
#define ISTRIP 0000040
#define IXON 0002000
#define IXANY 0004000
#define IUTF8 0040000
/* oflag */
#define OPOST 0000001
#define ONLCR 0000004
#define OCRNL 0000010
#define ONOCR 0000020
#define ONLRET 0000040
/* cflag */
#define B38400 0000017
#define CS8 0000060
#define CREAD 0000200
#define HUPCL 0002000
#define CLOCAL 0004000
/* lflag */
#define ISIG 0000001
#define ICANON 0000002
#define ECHO 0000010
#define ECHOE 0000020
#define ECHOK 0000040
#define ECHONL 0000100
#define NOFLSH 0000200
#define TOSTOP 0000400
#define ECHOCTL 0001000
#define ECHOKE 0004000
#define IEXTEN 0100000

#endif
