package redisquota

import "time"

const (
	meterSlot  = 125 * time.Millisecond
	meterSlots = 8 // one second
)

// meter counts what happened in the last second. The zero meter has counted nothing.
type meter struct {
	slots [meterSlots]int
	at    time.Time // the beginning of the running slot
	slot  int
}

// turn brings the meter up to now.
func (m *meter) turn(now time.Time) {
	ago := now.Sub(m.at)
	if ago >= meterSlots*meterSlot {
		*m = meter{at: now}
		return
	}
	for ; ago >= meterSlot; ago -= meterSlot {
		m.slot = (m.slot + 1) % meterSlots
		m.slots[m.slot] = 0
		m.at = m.at.Add(meterSlot)
	}
}

func (m *meter) add(now time.Time) {
	m.turn(now)
	m.slots[m.slot]++
}

// lastSecond returns how many there were, the running slot included.
func (m *meter) lastSecond(now time.Time) int {
	m.turn(now)
	sum := 0
	for _, n := range m.slots {
		sum += n
	}
	return sum
}
