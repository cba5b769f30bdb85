package tencenthttp

// failOver asks the other hosts that WithFailover names, in their order, whether one lets the call pass. Tried is false if none does.
// The quota stays that of the target: it is the account's, wherever it is spent.
func (c *call) failOver() (admitted, tried bool, r *refusal) {
	primary := c.target.endpoint.key
	for _, host := range c.otherHosts() {
		if host == "" || host == primary.host {
			continue
		}
		c.endpoint = c.other(endpointKey{host, primary.region})
		closed, left := c.endpoint.look()
		if closed {
			admitted, r = c.takeTurn()
			return admitted, true, r
		}
		if left == 0 {
			if admitted, r = c.probe(); admitted || r != nil {
				return admitted, true, r
			}
		}
	}
	c.endpoint = c.target.endpoint
	return false, false, nil
}

// otherHosts returns where else the call may go. A request that cannot be signed for another host can go nowhere else.
func (c *call) otherHosts() []string {
	if c.t.cfg.failover == nil || !c.resigns() || c.req.URL == nil {
		return nil
	}
	return c.t.cfg.failover(c.target.Host)
}

// other returns another endpoint than the target's, held until the call ends.
func (c *call) other(key endpointKey) *endpoint {
	for _, e := range c.others {
		if e.key == key {
			return e
		}
	}
	e := c.t.endpoints.get(key, c.now, func() (endpointKey, *endpoint) { return key, newEndpoint(key, c.t.cfg, c.now) })
	c.others = append(c.others, e)
	return e
}
