"""A thousand checks of what Python does with an operating system; prints each result, which is the same anywhere."""

import array
import collections
import decimal
import hashlib
import io
import itertools
import json
import math
import os
import random
import re
import shutil
import signal
import stat
import struct
import tempfile
import threading
import time
import zlib


def numbers(say):
    for n in range(1, 200):
        say(f"number {n}", math.factorial(n) % 1000003, round(math.sin(n), 9), n ** 50 % 97, math.isqrt(n * n * n))
    for n in range(1, 60):
        decimal.getcontext().prec = n
        say(f"decimal {n}", decimal.Decimal(2).sqrt())


def texts(say):
    source = random.Random(7)
    for n in range(200):
        text = "".join(source.choice("abc \u00e9\u4e2d\n\"\\") for _ in range(n))
        again = json.loads(json.dumps({"t": text, "n": [n, None, n / 7]}))
        say(f"text {n}", again["t"] == text, hashlib.sha1(text.encode()).hexdigest()[:12], len(re.findall("a+", text)),
            zlib.crc32(text.encode()), text.upper().count("A"))


def structures(say):
    for n in range(150):
        packed = struct.pack("<IdH", n, n / 3, n)
        counted = collections.Counter(i % 7 for i in range(n))
        say(f"structure {n}", packed.hex(), sorted(counted.items()), array.array("h", range(n)).tobytes()[:8].hex(),
            sum(1 for _ in itertools.combinations(range(n % 12), 3)))


def files(say):
    folder = tempfile.mkdtemp()
    for n in range(200):
        path = os.path.join(folder, f"file-{n}")
        with open(path, "wb") as file:
            file.write(bytes(range(256)) * n)
        os.chmod(path, 0o600 + n % 64)
        with open(path, "rb") as file:
            file.seek(n * 128)
            middle = file.read(4)
        status = os.stat(path)
        say(f"file {n}", status.st_size, oct(stat.S_IMODE(status.st_mode)), middle.hex())
    for n in range(0, 200, 2):
        os.rename(os.path.join(folder, f"file-{n}"), os.path.join(folder, f"moved-{n}"))
    say("listing", len(os.listdir(folder)), sorted(os.listdir(folder))[:5])
    for n in range(100):
        os.makedirs(os.path.join(folder, "deep", str(n % 10), str(n)))
    say("walk", sum(len(names) for _, names, _ in os.walk(folder)))
    os.symlink("file-1", os.path.join(folder, "link"))
    say("link", os.readlink(os.path.join(folder, "link")), os.path.samefile(folder + "/link", folder + "/file-1"))
    for call, name in [(os.rmdir, "deep"), (os.unlink, "none"), (os.mkdir, "deep"), (os.listdir, "file-1")]:
        try:
            call(os.path.join(folder, name))
            say("no error", name)
        except OSError as error:
            say("error", name, error.errno)
    shutil.rmtree(folder)
    say("removed", os.path.exists(folder))


def threads(say):
    for n in range(1, 30):
        total, lock = [0], threading.Lock()

        def work():
            for _ in range(100):
                with lock:
                    total[0] += 1
        workers = [threading.Thread(target=work) for _ in range(n)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        say(f"threads {n}", total[0])


def system(say):
    reading, writing = os.pipe()
    for n in range(100):
        os.write(writing, b"x" * n)
        say(f"pipe {n}", len(os.read(reading, 1000)) if n else 0)
    caught = []
    signal.signal(signal.SIGUSR1, lambda number, frame: caught.append(number))
    for n in range(50):
        os.kill(os.getpid(), signal.SIGUSR1)
        say(f"signal {n}", len(caught))
    for n in range(20):
        began = time.monotonic()
        time.sleep(n / 10000)
        say(f"sleep {n}", time.monotonic() - began >= n / 10000)
    say("buffer", io.BytesIO(b"abc").read(2), os.sysconf("SC_PAGESIZE"), len(os.urandom(10)))


def main():
    count = 0

    def say(*what):
        nonlocal count
        count += 1
        print(*what)
    for check in (numbers, texts, structures, files, threads, system):
        check(say)
    print("checks:", count)


main()
