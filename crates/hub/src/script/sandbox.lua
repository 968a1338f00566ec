-- What scripts see. Run once in the fresh state, with the native functions; gives the function that runs a script.
--
-- Scripts of all clients share one state and must not reach each other: each run has a table of globals of its own
-- (made by the caller), behind it stands `base`, and libraries are userdata in front of their tables, so that not even
-- rawset gets at them.
local native, libraries, names = ...
local raw_pcall, raw_xpcall, setfenv, getfenv, type = pcall, xpcall, setfenv, getfenv, type
local newproxy, getmetatable, setmetatable, error, tostring, collectgarbage =
    newproxy, getmetatable, setmetatable, error, tostring, collectgarbage
local rawget, concat, tonumber = rawget, table.concat, tonumber
local create, resume, status, yield, running, wrap =
    coroutine.create, coroutine.resume, coroutine.status, coroutine.yield, coroutine.running, coroutine.wrap

local function refuse_change()
    error("Attempt to modify a readonly table", 2)
end

local function protected(library)
    local proxy = newproxy(true)
    local meta = getmetatable(proxy)
    meta.__index = library
    meta.__newindex = refuse_change
    meta.__metatable = false
    return proxy
end

-- An error of a native function becomes what scripts may see; a script that has to end is not stopped from it.
local function settle(ok, ...)
    if ok then
        return true, ...
    end
    return false, native.failure((...))
end

local function settle_handled(ok, ...)
    if not ok then
        native.go_on()
    end
    return ok, ...
end

local base = {}
for _, name in ipairs(names) do
    base[name] = _G[name]
end

-- Who catches the error of a command gets its text, as of old; it is a table on its way out of the script.
local function settle_text(ok, ...)
    if ok then
        return true, ...
    end
    local cause = native.failure((...))
    if type(cause) == "table" and type(rawget(cause, "err")) == "string" then
        cause = rawget(cause, "err")
    end
    return false, cause
end

function base.pcall(...)
    return settle_text(raw_pcall(...))
end

function base.xpcall(f, handler)
    return settle_handled(raw_xpcall(f, function(cause)
        return handler(native.failure(cause))
    end))
end

function base.load(source, name)
    if type(source) == "function" then
        local pieces, count = {}, 0
        repeat
            local piece = source()
            count = count + 1
            pieces[count] = piece
        until piece == nil or piece == ""
        source = concat(pieces)
    end
    local f, message = native.compile(source, name)
    if f then
        local ok, environment = raw_pcall(getfenv, 3)
        if not ok then
            return nil, "load cannot be a tail call"
        end
        setfenv(f, environment)
    end
    return f, message
end
base.loadstring = base.load

function base.collectgarbage(what)
    if what == nil or what == "collect" or what == "count" or what == "step" then
        local count = collectgarbage(what)
        native.go_on()
        return count
    end
    return 0
end

libraries.coroutine = {
    create = create, status = status, yield = yield, running = running, wrap = wrap,
    resume = function(...)
        return settle(resume(...))
    end,
}
libraries.string = string
libraries.table = table
libraries.math = math
libraries.os = { clock = os.clock }
math.random = native.random
math.randomseed = native.randomseed
string.dump = nil
for _, functions in ipairs({ native.patterns, native.texts }) do
    for name, f in pairs(functions) do
        string[name] = f
    end
end
table.sort = native.sort

-- Lua's own moves whatever lies between a position and the end, and a position may be far below 1.
local insert, select = table.insert, select
function table.insert(...)
    local t, position = ...
    local count = select("#", ...)
    if type(t) ~= "table" then
        error("bad argument #1 to 'insert' (table expected, got " .. (count == 0 and "no value" or type(t)) .. ")", 2)
    elseif count == 2 then
        return insert(t, position)
    elseif count ~= 3 then
        error("wrong number of arguments to 'insert'", 2)
    end
    local number = tonumber(position)
    if not number then
        error("bad argument #2 to 'insert' (number expected, got " .. type(position) .. ")", 2)
    elseif not (number >= 1) then
        error("bad argument #2 to 'insert' (position out of bounds)", 2)
    end
    return insert(...)
end
getmetatable("").__metatable = false

for name, library in pairs(libraries) do
    base[name] = protected(library)
end

setmetatable(base, {
    __index = function(_, name)
        error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
    end,
})

local meta = { __index = base, __newindex = refuse_change, __metatable = false }

local function trace(cause)
    return native.trace(cause)
end

return function(f)
    return raw_xpcall(f, trace)
end, meta
