# Builtins only: nothing here makes a process.
set -u
declare -A seen
total=0
for ((i = 0; i < 2000; i++)); do
	((total += i * i % 7))
	seen[$((i % 17))]=$i
done
echo "total $total, ${#seen[@]} keys"
for key in "${!seen[@]}"; do printf '%s=%s\n' "$key" "${seen[$key]}"; done >/tmp/bash-list
mapfile -t lines </tmp/bash-list
echo "${#lines[@]} lines"
text="The quick brown fox"
echo "${text^^} ${text//o/0} ${#text} ${text:4:5}"
[[ $text =~ q([a-z]+) ]] && echo "matched ${BASH_REMATCH[1]}"
cd /tmp && [ -d /proc ] && [ ! -e /nowhere ] && echo "in $PWD"
printf '%05d|%x|%-6s|%q\n' 42 255 ab 'a b'
trap 'echo "trapped"' USR1
kill -USR1 $$
while IFS=: read -r name _ id _; do echo "$name is $id"; break; done </etc/passwd
read -r -t 1 nothing </dev/null || echo "end of file"
exec 7>/tmp/bash-seven; echo seven >&7; exec 7>&-
echo done
exit 3
