//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// contestant is a tool at work in a scenario, with a tree of its own.
type contestant struct {
	tool   tool
	mirror mirror
	stage  *stage // has its processes and trees

	source, template string
	remotes          []string
	rng              *rand.Rand // gives the same to all tools
	// templateFiles are the files below template.
	templateFiles []entry
	// out says why it takes part no longer.
	out string
}

// breath is a pause before each measurement, so that processes which ended a
// moment ago are gone.
const breath = 60 * time.Millisecond

// measure runs a scenario: each step of each repetition with all tools, whose
// order rotates.
func (sc *scenario) measure(ctx context.Context, tools []tool, reps int, r *report) error {
	reps = min(reps, maxOperations)
	say("%s: %s", sc.name, sc.title)
	return onStage(ctx, func(s *stage) {
		contestants := sc.enter(s, tools, r)
		say("%s: ready after %v, %d times", sc.name, r.elapsed(), reps)
		for rep := range reps {
			for _, st := range sc.steps {
				for i := range contestants {
					c := contestants[(i+rep)%len(contestants)]
					if c.out == "" && len(c.remotes) == max(1, st.remotes) {
						sc.once(s, c, st, rep, r)
					}
				}
			}
		}
		for _, c := range contestants {
			if c.out == "" {
				if differs := c.verify(); differs != "" {
					r.drop(sc, c, "not equal", differs)
				}
			}
		}
		say("%s: done after %v", sc.name, r.elapsed())
	})
}

// enter prepares the trees and starts the tools.
func (sc *scenario) enter(s *stage, tools []tool, r *report) []*contestant {
	template, templateFiles := "", []entry(nil)
	if sc.template != nil {
		template = s.TempDir()
		s.check(sc.template(template))
		files, total, err := listing(template)
		s.check(err)
		templateFiles = files
		r.remark(fmt.Sprintf("%s: the directory has %d files with %.0f MB", sc.name, len(files), float64(total)/1e6))
	}
	server := startServer(s, sc.kind, r)
	var contestants []*contestant
	for _, t := range tools {
		entered := make(map[int]bool)
		for _, st := range sc.steps {
			remotes := max(1, st.remotes)
			if entered[remotes] {
				continue
			}
			entered[remotes] = true
			c := &contestant{
				tool: t, stage: s.inner(), template: template, templateFiles: templateFiles,
				rng: rand.New(rand.NewPCG(7, 7)),
			}
			p := server.newPlace(c.stage, remotes)
			c.source, c.remotes = p.source, p.remotes
			s.check(sc.tree(p.source))
			err := try(func() { c.mirror = t.start(c.stage, p, sc.byHand) })
			switch {
			case err != nil:
				s.check(interruption(s, err))
				r.drop(sc, c, "failed", fmt.Sprintf("did not start: %v", err))
			case c.mirror == nil:
				c.stage.clear()
			default:
				contestants = append(contestants, c)
			}
		}
	}
	return contestants
}

// once measures one change, and waits until the tool is done with it.
func (sc *scenario) once(s *stage, c *contestant, st step, rep int, r *report) {
	when := fmt.Sprintf("%s, repetition %d", st.title, rep+1)
	ch, err := st.plan(c, rep)
	s.check(err)
	if sc.heavy {
		// What the last one has written is not to be written out now.
		s.check(flush(c.source))
	}
	time.Sleep(breath)
	took, err := c.visible(s, ch, sc.patience)
	if errors.As(err, new(errInvisible)) {
		// What it would do from here on is not what the others do.
		r.drop(sc, c, "never", fmt.Sprintf("%s: %v", when, err))
		return
	}
	s.check(err)
	r.sample(sc, st, c, took)
	if err := c.mirror.settle(); err != nil {
		s.check(interruption(s, err))
		r.drop(sc, c, "failed", fmt.Sprintf("%s: %v", when, err))
	}
}

// interruption tells an interruption from a failure, which it causes.
func interruption(s *stage, err error) error {
	if s.ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", err)
	}
	return nil
}
