#include "kernel/dev/bus/driver.h"

#include "kernel/core/log.h"
#include "lib/errno.h"

extern const struct driver drivers_start[], drivers_end[];

static bool id_matches(const struct device_id *want, const struct device_id *id)
{
	return (want->vendor == DEVICE_ANY || want->vendor == id->vendor) &&
	       (want->device == DEVICE_ANY || want->device == id->device) &&
	       (want->class == DEVICE_ANY || want->class == id->class);
}

static bool driver_matches(const struct driver *driver, const struct device *device)
{
	if (driver->bus != device->bus)
		return false;
	for (const struct device_id *want = driver->ids; want->vendor; want++)
		if (id_matches(want, &device->id))
			return true;
	return false;
}

void device_bind(struct device *device)
{
	for (const struct driver *driver = drivers_start; driver < drivers_end; driver++) {
		int err;

		if (!driver_matches(driver, device))
			continue;
		err = driver->probe(device);
		if (err == 0) {
			device->driver = driver;
			return;
		}
		if (err != -ENODEV) {
			log_err("%s: %s failed: error %d", device->name, driver->name, -err);
			return;
		}
	}
}

void bus_scan(struct bus *bus)
{
	if (bus->scanned)
		return;
	bus->scanned = true;
	bus->scan();
}

void devices_init(void)
{
	for (const struct driver *driver = drivers_start; driver < drivers_end; driver++)
		bus_scan(driver->bus);
}
