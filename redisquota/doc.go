// Package redisquota makes all processes of an account share one quota, over Redis: a configured one exactly, an unknown one by
// learning it together.
//
//	quota, err := redisquota.New(redis.NewClient(&redis.Options{Addr: "redis:6379"}), redisquota.WithLimit(18, 5))
//	...
//	rt, err := tencenthttp.NewTransport(nil, tencenthttp.WithLimiter(quota.Limiter))
//
// [WithLimit] and [WithActionLimit] configure limits; a target without one is not limited until the service throttles, and from
// then on the whole fleet paces its calls at one rate that all processes find together. [WithWeight] gives a process a larger share.
//
// # How it works
//
// For each Target there is one key in Redis, with a token bucket and the line of the fleet's processes. A process asks for places
// in that line for the calls that wait in it, a few at a time, and works out by itself when each is due: about 0.1 round trips per
// call for ten processes at 400 calls per second together, one or two per call at 20 per second, where each has one place at a time. Each process may have as
// many places as its weight allows, up to what its share is worth in half a second, so that all advance alike. A place that is not
// used within a second is lost, and those of a process that died go to the others two seconds later.
//
// The learned rate is in the same key. A throttle that any process sees cuts it, once for all attempts that were made at the old
// rate; it grows with the time that passes between exchanges, by Redis's clock, whoever makes them. It is forgotten after five
// minutes without use.
//
// One script does all that in one step. A ready-made limiter, go-redis/redis_rate v10, was measured first: ten processes that wait
// for 20 calls per second ask it 10 times per call, since a refusal gives no place in line, and get between 0.5 and 1.5 times their
// share; it neither leases nor learns.
//
// # Without Redis
//
// No call fails because of Redis, and none waits longer for it than [WithTimeout]. While it is away or too slow, each process
// goes on at its last known share of the rate, evenly; one that has never reached Redis takes a tenth of a configured limit, and of
// an unknown one what the service does not throttle. [WithHook] and [WithLogger] tell of each loss and return. One probe at a time finds out
// when it is back; then all go on with their shares for another second, until everyone has noticed. State that was lost, by a flush
// or a restart, is seeded with what the processes remember.
//
// # Redis
//
// Redis 6.2 or later, single, behind Sentinel, or a Cluster (each exchange has one key). Every key expires: five seconds after its
// last use, and the time that the bucket takes to fill, or five minutes where a rate was learned. Keys are hashes; no SecretId, action
// or region is in Redis, and no time of a host. go-redis heeds deadlines on the socket only with Options.ContextTimeoutEnabled: set
// it, or an exchange that hangs keeps its one goroutine as long as ReadTimeout and MaxRetries let it.
package redisquota
