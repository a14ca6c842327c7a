const fs = require("fs");
const crypto = require("crypto");
const primes = [];
for (let n = 2; primes.length < 2000; n++) if (primes.every((p) => p * p > n || n % p)) primes.push(n);
fs.writeFileSync("/tmp/node-file", JSON.stringify(primes));
const back = JSON.parse(fs.readFileSync("/tmp/node-file", "utf8"));
console.log(back.length, back[1999], crypto.createHash("sha256").update(JSON.stringify(back)).digest("hex"));
const later = () => setTimeout(() => {
	fs.promises.stat("/tmp/node-file").then((s) => {
		console.log("size", s.size);
		process.exitCode = 5;
	});
}, 10);
const squares = [1, 2, 3].map((n) => new Promise((done) => setImmediate(() => done(n * n))));
Promise.all(squares).then((all) => console.log(all.join())).then(later);
