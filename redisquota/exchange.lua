-- One exchange between a process and the state that the fleet shares for one target.
--
-- The state is a token bucket whose tokens are given out by number: numbers up to `released` may be used, and released grows by
-- `rate` each second. A process may be given numbers that are not released yet: its place in the line of the fleet. It works out
-- by itself when they will be, so that it need not come back for each. `level` is released less the last number that was given.
--
-- All times are microseconds by Redis's own clock. Nothing a host thinks of the time gets here.

local key = KEYS[1]
local id = ARGV[1]
local argument = {}
for i = 2, #ARGV do argument[i] = tonumber(ARGV[i]) end
local weight, limit, burst = argument[2], argument[3], argument[4] -- limit 0: to be learned
local held, need, spare = argument[5], argument[6], argument[7] -- numbers in hand, numbers wanted for callers, and in advance
local objects, throttled, accepted = argument[8], argument[9], argument[10] -- to which cut (-1: to none), and counts
local known, known_sum, known_rate = argument[11], argument[12], argument[13] -- what the process remembers, if Redis does not
local lost, spent = argument[14], argument[15] -- 1: it has been without Redis for a while; and what it has sent by itself

local UNLIMITED, SETTLING, SEARCHING, FEELING, FIXED = 0, 1, 2, 3, 4
local SECOND = 1e6
local ACTIVE = 2 * SECOND -- a process that was not heard of for so long has no share
local SWEEP = SECOND / 2
local RESUME = SECOND -- after a loss everyone goes on with its last share for so long, until all have noticed the return
local SETTLE = SECOND / 2
local STOPPING = 0.15 -- seconds until all have heard of the first throttle; what the service took meanwhile is not counted
local GRACE = 0.3 * SECOND -- after a cut: until then answers may be to attempts made at the old rate
local NEAR = 0.99 -- of where the service last objected: so far the rate returns fast
local MAX_AHEAD = 0.5 -- seconds that may be given out before they are released
local LEARNED_TTL, FIXED_TTL = 300 * SECOND, 5 * SECOND

local time = redis.call('TIME')
local now = time[1] * SECOND + time[2]

local FIELDS = { 'epoch', 'phase', 'rate', 'good', 'ceiling', 'cuts', 'cut_at', 'mark', 'throttled', 'grown', 'pressed',
  'ts', 'tail', 'level', 'sum', 'out', 'swept', 'hold', 'held_at', 'floor' }
local s = {}
local stored = redis.call('HMGET', key, unpack(FIELDS))
for i, name in ipairs(FIELDS) do s[name] = tonumber(stored[i]) or 0 end
local fresh = s.epoch == 0

if fresh and limit == 0 and known_rate == 0 and objects < 0 then
  return { 0, UNLIMITED, 0, 0, 0, weight, 0, 0, 0, 0, 0, 0, 0, 0 } -- nothing is known, so there is nothing to keep
end

local function clamp(x, low, high) return math.max(low, math.min(high, x)) end

-- sent is how many numbers could be used so far.
local function sent() return s.tail + math.min(s.level, 0) end

local function begin()
  s.epoch, s.ts, s.grown, s.pressed, s.cut_at = now, now, now, now, now
  s.level = burst
  if limit == 0 then
    s.phase, s.level = UNLIMITED, 0
    if known_rate > 0 then s.phase, s.rate, s.good, s.ceiling = FEELING, known_rate, known_rate, known_rate end
  end
end

-- hold makes everyone go on as if Redis were away still: what was used meanwhile is not in the state.
local function hold()
  s.held_at, s.hold, s.level, s.floor = now, now + RESUME, math.min(s.level, 0), known_sum
end

-- sweep forgets processes that are gone, with the places they had, and counts the others' weights and numbers in hand.
local function sweep()
  s.swept, s.sum, s.out = now, 0, 0
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'm:' then
      local seen, w, h, last = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+)$')
      if math.abs(now - seen) > ACTIVE then
        redis.call('HDEL', key, all[i])
        local ahead = clamp(last - s.tail - s.level, 0, tonumber(h))
        s.level = math.min(s.level + ahead, math.max(s.level, 0))
      else
        s.sum, s.out = s.sum + w, s.out + h
      end
    end
  end
end

-- grow lets the learned rate grow, if somebody waits for it: else nobody knows whether the service would take more.
local function grow()
  local dt = clamp(now - s.grown, 0, SECOND) / SECOND
  s.grown = now
  if s.phase < SEARCHING or now - s.pressed > SECOND then return end
  local since = (now - s.cut_at) / SECOND
  if s.phase == SEARCHING then
    if s.rate < s.good then
      s.rate = math.min(s.rate * 2 ^ dt, s.good)
    else
      s.rate = s.rate * (1 + 0.1 * (1 + since) * dt)
    end
  elseif s.rate < NEAR * s.ceiling then
    s.rate = math.min(s.rate + 0.1 * s.ceiling * dt, NEAR * s.ceiling)
  else
    local calm = math.min(since / 4, (sent() - s.mark) / 100, 8) -- the longer nobody objects, the faster
    s.rate = s.rate + (0.02 + s.rate * (0.003 + 0.03 * math.max(0, calm - 1))) * dt
  end
end

local function cut(factor)
  s.cuts, s.cut_at, s.grown, s.mark, s.throttled = s.cuts + 1, now, now, sent(), 0
  s.phase, s.rate, s.level = FEELING, math.max(0.2, s.ceiling * factor), math.min(s.level, 0)
end

-- object is a throttle: the bucket of the service is empty. What it took since the last one is what it refills.
local function object()
  local since, took = (now - s.cut_at) / SECOND, sent() - s.mark - s.throttled
  if s.phase == SEARCHING then
    local measured = took / math.max(since - STOPPING, 0.1)
    s.ceiling = took >= 10 and clamp(measured, s.rate / 2, s.rate) or 0.88 * s.rate
    cut(NEAR)
  else
    s.ceiling = s.rate
    if took >= 20 and since >= 1 then s.ceiling = clamp(took / since, 0.88 * s.rate, s.rate) end
    cut(0.88)
  end
end

-- learn takes note of what the process has seen.
local function learn()
  s.throttled = s.throttled + throttled
  if s.phase == UNLIMITED and objects >= 0 then
    s.phase, s.cuts, s.cut_at = SETTLING, s.cuts + 1, now
  elseif s.phase >= SEARCHING and objects == s.cuts and now - s.cut_at > GRACE then
    object()
  end
  if s.phase ~= SETTLING then return end
  redis.call('HSET', key, 'a:' .. id, accepted)
  if now - s.cut_at < SETTLE then return end
  local sum = 0
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'a:' then
      sum = sum + all[i + 1]
      redis.call('HDEL', key, all[i])
    end
  end
  s.good = math.max(1, sum)
  s.phase, s.cuts, s.rate, s.ceiling = SEARCHING, s.cuts + 1, 0.7 * s.good, 0
  s.mark, s.throttled, s.level, s.ts, s.grown, s.pressed = sent(), 0, 0, now, now, now
end

if fresh then
  begin()
  if known == 1 then hold() end
elseif lost == 1 and math.abs(now - s.held_at) > 5 * SECOND then
  hold()
end
for _, name in ipairs({ 'ts', 'grown', 'pressed', 'cut_at', 'swept', 'held_at' }) do
  s[name] = math.min(s[name], now) -- a replica that took over may have another clock
end
if s.hold - now > RESUME then s.hold = 0 end

local mine = redis.call('HGET', key, 'm:' .. id)
local before = { 0, 0, 0, 0 } -- seen, weight, numbers in hand, the last of them
if mine then before = { string.match(mine, '^(%d+) (%d+) (%d+) (%d+)$') } end
local counted = math.abs(now - before[1]) <= ACTIVE
if not counted or now - s.swept > SWEEP then sweep() end
if counted then s.sum, s.out = s.sum - before[2], s.out - before[3] end
s.sum, s.out = s.sum + weight, s.out + held
if s.hold > now then s.floor = math.max(s.floor, known_sum) end

if limit > 0 then
  s.phase, s.rate, s.ceiling = FIXED, limit, limit
  if objects >= 0 then s.level = math.min(s.level, 0) end
else
  burst = 1 + math.floor(s.rate / 10)
  if s.phase == FIXED then s.phase, s.rate, s.good = FEELING, s.ceiling, s.ceiling end -- its limit was configured until now
  grow()
  learn()
end

local dt = clamp(now - math.max(s.ts, s.hold), 0, 3600 * SECOND) / SECOND -- during a hold everyone has had a share without asking
s.ts = now
if s.hold > now then
  s.level = math.min(s.level, 0)
elseif s.phase >= SEARCHING then
  s.level = math.max(s.level, math.min(s.level + s.rate * dt, math.max(0, burst - s.out)))
end

if s.hold <= now and s.phase >= SEARCHING then
  s.level = math.max(s.level - spent, math.min(s.level, -0.25 * s.rate)) -- long ago does not count
end

local sum = s.hold > now and math.max(s.sum, s.floor) or s.sum
local window, first, given, wait = 0, s.tail + 1, 0, 0
if s.phase >= SEARCHING then
  local ahead = s.phase == SEARCHING and MAX_AHEAD / 2 or MAX_AHEAD -- a rate that changes fast must be heard of soon
  window = weight * math.max(1, math.floor(ahead * s.rate / sum))
end
if s.hold > now then
  wait = s.hold - now
elseif s.phase == SETTLING then
  wait = SETTLE - (now - s.cut_at)
elseif s.phase >= SEARCHING then
  if need > 0 and s.level < need then s.pressed = now end
  if s.level >= 1 then window = 2 * window end -- nobody else waits for these
  local free = math.max(0, window - held)
  given = math.min(need, free)
  local left = math.floor(s.level - given)
  if left > 0 then given = given + clamp(spare, 0, math.min(left, free - given)) end
  s.tail, s.level, s.out = s.tail + given, s.level - given, s.out + given
end

local last = given > 0 and s.tail or before[4]
local write = { 'm:' .. id, string.format('%.0f %d %d %.0f', now, weight, held + given, last) }
for _, name in ipairs(FIELDS) do
  write[#write + 1] = name
  write[#write + 1] = string.format('%.17g', s[name])
end
redis.call('HSET', key, unpack(write))
local ttl = limit > 0 and FIXED_TTL + burst / limit * SECOND or LEARNED_TTL
redis.call('PEXPIRE', key, math.ceil(ttl / 1000))

return { s.epoch, s.phase, math.floor(s.rate * 1000), math.floor(s.ceiling * 1000), s.cuts, sum, window, first, given,
  math.floor((s.tail + s.level) * 1000), math.ceil(wait), s.hold > now and 1 or 0, math.ceil(ttl), math.floor(s.level * 1000) }
