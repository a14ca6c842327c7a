/*
 * The PC's real-time clock (Motorola MC146818A data sheet): date and time as UTC, in BCD or binary, with 12 or 24 hours.
 * The century is where IBM put it; a value that cannot be one there means this one.
 */
#include "kernel/arch/arch.h"
#include "kernel/core/clock.h"
#include "lib/errno.h"

#define CMOS_INDEX 0x70 /* bit 7 would mask NMIs */
#define CMOS_DATA 0x71

enum {
	RTC_SECOND = 0x00,
	RTC_MINUTE = 0x02,
	RTC_HOUR = 0x04,
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_CENTURY = 0x32,
};

#define A_UPDATING 0x80 /* the clock moves on within 244 us, for at most 1984 us */
#define B_24_HOURS 0x02
#define B_BINARY 0x04
#define HOUR_PM 0x80

/* A port access takes about a microsecond on hardware, so this many outlast an update. */
#define UPDATE_POLLS 10000
#define READ_TRIES 8

struct rtc_time {
	unsigned second, minute, hour, day, month, year, century;
};

static uint8_t cmos_read(uint8_t index)
{
	arch_out8(CMOS_INDEX, index);
	return arch_in8(CMOS_DATA);
}

static bool is_updating(void)
{
	return cmos_read(RTC_A) & A_UPDATING;
}

/* The registers, as of one moment; false when the clock does not hold still: there is none. */
static bool registers_read(struct rtc_time *time)
{
	for (unsigned i = 0; i < READ_TRIES; i++) {
		unsigned polls = 0;

		while (is_updating())
			if (++polls == UPDATE_POLLS)
				return false;
		time->second = cmos_read(RTC_SECOND);
		time->minute = cmos_read(RTC_MINUTE);
		time->hour = cmos_read(RTC_HOUR);
		time->day = cmos_read(RTC_DAY);
		time->month = cmos_read(RTC_MONTH);
		time->year = cmos_read(RTC_YEAR);
		time->century = cmos_read(RTC_CENTURY);
		if (!is_updating() && time->second == cmos_read(RTC_SECOND))
			return true;
	}
	return false;
}

static unsigned from_bcd(unsigned value)
{
	return (value >> 4) * 10 + (value & 15);
}

/* As the calendar has it, the year in full; false when it is no date. */
static bool decode(struct rtc_time *time, uint8_t format)
{
	bool is_pm = !(format & B_24_HOURS) && (time->hour & HOUR_PM);

	if (!(format & B_24_HOURS))
		time->hour &= ~(unsigned)HOUR_PM;
	if (!(format & B_BINARY)) {
		time->second = from_bcd(time->second);
		time->minute = from_bcd(time->minute);
		time->hour = from_bcd(time->hour);
		time->day = from_bcd(time->day);
		time->month = from_bcd(time->month);
		time->year = from_bcd(time->year);
		time->century = from_bcd(time->century);
	}
	if (!(format & B_24_HOURS)) {
		if (!time->hour || time->hour > 12)
			return false;
		time->hour = time->hour % 12 + (is_pm ? 12 : 0);
	}
	if (time->century < 19 || time->century > 24) /* 64 bits of nanoseconds end in 2554 */
		time->century = 20;
	if (time->year > 99)
		return false;
	time->year += time->century * 100;
	return time->second < 60 && time->minute < 60 && time->hour < 24 && time->day >= 1 && time->day <= 31 &&
	       time->month >= 1 && time->month <= 12 && time->year >= 1970;
}

/* Days from 1970-01-01 in the Gregorian calendar. The year begins with March here, so that the leap day is its last. */
static uint64_t days_since_1970(const struct rtc_time *time)
{
	uint64_t year = time->year - (time->month < 3), month = (time->month + 9) % 12;
	uint64_t day_of_year = (153 * month + 2) / 5 + time->day - 1;

	return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static int rtc_wall(uint64_t *ns)
{
	struct rtc_time time;

	if (cmos_read(RTC_A) == 0xff || !registers_read(&time) || !decode(&time, cmos_read(RTC_B)))
		return -ENODEV;
	*ns = (((days_since_1970(&time) * 24 + time.hour) * 60 + time.minute) * 60 + time.second) * NSEC_PER_SEC;
	return 0;
}

CLOCK_SOURCE(rtc) = {
	.name = "rtc",
	.wall = rtc_wall,
};
