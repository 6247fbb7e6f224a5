package main

import (
	"math/rand/v2"
	"time"
)

// A score is how well a detector did.
type score struct {
	contender
	extra    bool            // the detector was polled when it wanted
	recorded []time.Duration // from the recorded kills of members that report every 10 s to their detection
	putIn    []time.Duration // the same of kills that were put in
	mistakes float64         // in the whole recording, the mean of all phases
	segments map[string]float64
	withNova float64 // living members that Nova's own rule called down, too
}

// usual is the report_interval of most members, Nova's default.
const usual = 10 * time.Second

// A put is a kill that was put into the recording, and when the table is polled then.
type put struct {
	kill
	phase float64 // of the poll interval
}

// evaluation is what all detectors are compared on.
type evaluation struct {
	*trace
	deaths []kill
	calm   []put         // kills in the parts in which nothing was done
	lead   time.Duration // the history that a detector has before such a kill
}

// The kills that are put in.
const (
	usualLead   = 72 * time.Second // enough for members that report every 10 s or less
	agentLead   = 4 * time.Minute
	stallLeadIn = 2 * time.Minute  // the same in a stall
	patience    = 80 * time.Second // until the end of such a replay; Nova's rule at 15 s polls needs 75 s
	seed        = 18
)

func newEvaluation(tr *trace, lead time.Duration, kills int) *evaluation {
	e := &evaluation{trace: tr, deaths: tr.deaths(), lead: lead}
	random := rand.New(rand.NewPCG(seed, 0))
	quiet := span{tr.reports[0].at + lead, tr.during("busy").to - downTime}
	for range kills {
		e.calm = append(e.calm, e.putIn(random, quiet))
	}
	return e
}

// putIn draws a kill of a compute.
func (e *evaluation) putIn(random *rand.Rand, during span) put {
	computes := e.of("nova-compute", usual)
	at := during.from
	if during.to > during.from {
		at += time.Duration(random.Int64N(int64(during.to - during.from)))
	}
	return put{kill{computes[random.IntN(len(computes))], at, e.end}, random.Float64()}
}

// score replays the whole recording and the kills that are put in.
func (e *evaluation) score(c contender, polls []schedule) score {
	s := score{contender: c, extra: polls[0].extra, segments: make(map[string]float64)}
	share := 1 / float64(len(polls))
	for _, p := range polls {
		all := run{trace: e.trace, during: span{e.reports[0].at, e.end}, schedule: p, timeout: downTime}
		r := all.replay(c.make(e.members))
		wrong, withNova := r.mistakes(e.deaths)
		s.withNova += share * float64(withNova)
		for _, w := range wrong {
			s.mistakes += share
			s.segments[e.segment(w.from)] += share
		}
		for _, k := range e.deaths {
			if took, noticed := r.detection(k); noticed && e.members[k.member].interval == usual && e.segment(k.at) == "deaths" {
				s.recorded = append(s.recorded, took)
			}
		}
	}
	for _, k := range e.calm {
		s.putIn = append(s.putIn, e.afterKill(c, k, polls[0], e.lead))
	}
	return s
}

// afterKill returns how long after a kill that is put in the member is noticed.
func (e *evaluation) afterKill(c contender, k put, polls schedule, before time.Duration) time.Duration {
	polls.phase = time.Duration(k.phase * float64(polls.interval))
	r := run{
		trace: e.trace, during: span{k.at - before, k.at + patience}, schedule: polls, timeout: downTime, kills: []kill{k.kill},
	}
	took, _ := r.replay(c.make(e.members)).detection(k.kill)
	return took
}

// A stall is a time in which the way of the heartbeats stood.
type stall struct {
	name   string
	during span
	kills  span // the times of the kills that are put in
}

// stalls returns the recorded stalls.
func (tr *trace) stalls() []stall {
	nth := func(n int, what, target string) time.Duration {
		for _, e := range tr.events {
			if e.what == what && e.target == target {
				if n == 0 {
					return e.at
				}
				n--
			}
		}
		return 0
	}
	frozen := func(name, target string, n int) stall {
		s := span{nth(n, "STOP", target), nth(n, "CONT", target)}
		return stall{name, s, s}
	}
	const conductor = "conductor-controller-01"
	restarted := nth(0, "start", conductor)
	stopped := span{nth(1, "ended", conductor), nth(2, "start", conductor)}
	rabbit := span{nth(0, "start", "rabbitmq"), nth(0, "answers", "rabbitmq")}
	return []stall{
		frozen("RabbitMQ frozen for 20 s", "rabbitmq", 0),
		frozen("RabbitMQ frozen for 40 s", "rabbitmq", 1),
		frozen("MariaDB frozen for 15 s", "mariadb", 0),
		{"conductor restarted", span{nth(0, "TERM", conductor), restarted}, span{restarted, restarted}},
		{"conductor stopped for 30 s", stopped, stopped},
		{"RabbitMQ restarted", rabbit, span{rabbit.from, rabbit.from}},
	}
}

// delays returns the times of detection of kills in a stall.
func (e *evaluation) delays(c contender, s stall, kills int) []time.Duration {
	random := rand.New(rand.NewPCG(seed, 1))
	all := make([]time.Duration, kills)
	for i := range all {
		all[i] = e.afterKill(c, e.putIn(random, s.kills), schedule{interval: time.Second, extra: true}, stallLeadIn)
	}
	return all
}

// mistakesIn returns the mean number of mistakes that began in a stall, or up to a minute after it.
func (e *evaluation) mistakesIn(c contender, s stall, polls []schedule) float64 {
	n := 0.0
	for _, p := range polls {
		r := run{trace: e.trace, during: span{e.reports[0].at, s.during.to + 2*time.Minute}, schedule: p, timeout: downTime}
		wrong, _ := r.replay(c.make(e.members)).mistakes(e.deaths)
		for _, w := range wrong {
			if w.from >= s.during.from && w.from < s.during.to+time.Minute {
				n += 1 / float64(len(polls))
			}
		}
	}
	return n
}
