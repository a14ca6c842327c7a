local total, words = 0, {}
for i = 1, 200000 do total = (total * 31 + i) % 1000003 end
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do words[#words + 1] = word:upper() end
table.sort(words)
print(total, table.concat(words, " "), string.format("%.6f %5d %q", math.pi, 42, "a\nb"))
local file = assert(io.open("/tmp/lua-file", "w"))
for i = 1, 1000 do file:write(i, "\n") end
file:close()
local sum = 0
for line in io.lines("/tmp/lua-file") do sum = sum + tonumber(line) end
print(sum, os.remove("/tmp/lua-file"), io.open("/none") == nil)
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
print(co(), co(), co(), pcall(error, "caught"))
print(#string.rep("x", 1 << 22), collectgarbage("count") > 0)
