package tencenthttp

import (
	"sync/atomic"
	"time"
)

const (
	meterSlot  = 250 * time.Millisecond
	meterSlots = 32 // eight seconds
)

// meter counts what a service has accepted over the last seconds. It takes no lock, for it counts every answer of every target,
// also of those that nothing limits.
type meter struct {
	epoch time.Time
	slots [meterSlots]atomic.Uint64 // each: which slot since the epoch, in the upper half, and its count
}

// slotAt returns which slot that time is in. The first is 1, so that a slot never used is none of them.
func (m *meter) slotAt(t time.Time) uint64 { return uint64(max(0, t.Sub(m.epoch))/meterSlot) + 1 }

// add counts one.
func (m *meter) add(now time.Time) {
	id := m.slotAt(now)
	slot := &m.slots[id%meterSlots]
	for {
		old := slot.Load()
		switch {
		case old>>32 == id:
			if slot.CompareAndSwap(old, old+1) {
				return
			}
		case old>>32 > id: // it was held up for eight seconds
			return
		case slot.CompareAndSwap(old, id<<32|1):
			return
		}
	}
}

// rate returns how many a second were counted in the time before now, up to seven seconds.
func (m *meter) rate(now time.Time, over time.Duration) float64 {
	current := m.slotAt(now)
	part := float64(max(0, now.Sub(m.epoch))%meterSlot) / float64(meterSlot) // of the running slot, that is over
	whole := uint64(over / meterSlot)
	var sum float64
	for i := range m.slots {
		slot := m.slots[i].Load()
		switch behind := current - slot>>32; { // what was counted after now has wrapped
		case behind < whole:
			sum += float64(uint32(slot))
		case behind == whole:
			sum += float64(uint32(slot)) * (1 - part)
		}
	}
	return sum / over.Seconds()
}
