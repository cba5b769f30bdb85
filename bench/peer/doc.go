// Package peer builds, around the libraries that are used to make HTTP calls resilient, the RoundTrippers that someone
// calling Tencent Cloud would build around them. None of them knows that an API 3.0 failure comes with status 200, so
// each is given a predicate that looks for one, in two manners: ReadAll, which is what one writes first, and Bounded,
// which is the fastest that one can write.
//
// Each retries up to 3 times with its own backoff and hands back the last answer when it gives up. What a library has
// besides is used where it belongs to the job (failsafe-go's breaker, the token buckets of the AWS retryers), and what it
// lacks is not added: only the floor and tencenthttp keep a breaker and a limiter per target.
package peer
