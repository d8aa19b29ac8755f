package model

import "github.com/inframind/inframind/log-classifier/label"

// Site is what the stream of a site teaches without any label: how common each category is
// among its templates and among those of each of its services, and what its levels mean.
// Programs that talk a lot have much noise, and a word that is alarming elsewhere is not
// alarming there.
type Site struct {
	service map[string]int // index of the mix of each service
	meant   view           // with levels as programs mean them
	used    view           // with levels as this site uses them
}

// Seen is one distinct template of a site.
type Seen struct {
	Probability [label.Count]float64 // by its words, for the even mix
	Evidence    Evidence
	Service     string // that wrote it; "" where nothing says so
}

// Strengths of what is believed before anything was seen, in templates: a site with few of
// them stays close to the even mix, a service to its site, levels to what programs mean.
const (
	siteStrength    = 30
	serviceStrength = 20
	levelStrength   = 10
)

// rounds of expectation maximisation.
const rounds = 12

// LoneSite knows nothing: its lines come alone.
func LoneSite() *Site {
	v := view{mix: LoneMix(), levels: likelihood}
	return &Site{meant: v, used: v}
}

// LearnSite learns from the distinct templates of a site.
func LearnSite(seen []Seen) *Site {
	s := &Site{service: map[string]int{}}
	of := make([]int, len(seen))
	for i, x := range seen {
		of[i] = -1
		if x.Service == "" {
			continue
		}
		k, ok := s.service[x.Service]
		if !ok {
			k = len(s.service)
			s.service[x.Service] = k
		}
		of[i] = k
	}
	s.meant = learn(seen, of, len(s.service), false)
	s.used = learn(seen, of, len(s.service), true)
	return s
}

// Predict is p, made from the words of a line for the even mix, given what the line says
// beside its words, its service and its site. How critical it is comes from levels as
// programs mean them: where FATAL stands over mere dumps, what is critical must not vanish
// among them.
func (s *Site) Predict(p Prediction, e Evidence, service string) Prediction {
	k, ok := s.service[service]
	if !ok {
		k = -1
	}
	critical := s.meant.apply(p.Probability, e, k)[label.Critical]
	q := s.used.apply(p.Probability, e, k)
	if rest := 1 - q[label.Critical]; rest > 0 {
		for c := range q {
			q[c] *= (1 - critical) / rest
		}
		q[label.Critical] = critical
	}
	p.Probability = q
	p.Category, p.Confidence = best(q)
	return p
}

// view is a site seen in one way.
type view struct {
	mix      Mix
	services []Mix
	levels   [evidences]Mix
}

// apply gives p the evidence and the mix of service k, or of the site when k < 0.
func (v *view) apply(p [label.Count]float64, e Evidence, k int) [label.Count]float64 {
	m := v.mix
	if k >= 0 {
		m = v.services[k]
	}
	if e > 0 && e < evidences {
		for c, odds := range v.levels[e] {
			m[c] *= odds
		}
	}
	return m.Apply(p)
}

// learn estimates a view by expectation maximisation. Template i is of service of[i].
func learn(seen []Seen, of []int, services int, levels bool) view {
	v := view{mix: EvenMix(), services: make([]Mix, services), levels: likelihood}
	for k := range v.services {
		v.services[k] = v.mix
	}
	for range rounds {
		var site Mix
		var byLevel [evidences]Mix
		byService := make([]Mix, services)
		for i, x := range seen {
			for c, p := range v.apply(x.Probability, x.Evidence, -1) {
				site[c] += p
			}
			for c, p := range v.apply(x.Probability, x.Evidence, of[i]) {
				if of[i] >= 0 {
					byService[of[i]][c] += p
				}
				byLevel[x.Evidence][c] += p
			}
		}
		v.mix = site.shares(EvenMix(), siteStrength)
		for k, sum := range byService {
			v.services[k] = v.mix.within(sum)
		}
		if levels {
			v.learnLevels(byLevel)
		}
	}
	return v
}

// shares are the parts of the sums m, with the belief of some templates in a mix before.
func (m Mix) shares(before Mix, strength float64) Mix {
	total := strength
	for _, v := range m {
		total += v
	}
	for c := range m {
		m[c] = (m[c] + strength*before[c]) / total
	}
	return m
}

// within is the mix of a service of a site with mix m, whose templates have sums by category.
// What part of the alarms is critical stays that of the site: a service has too few of them.
func (m Mix) within(sums Mix) Mix {
	own := sums.shares(m, serviceStrength)
	alarms := (own[label.Critical] + own[label.Warning]) / (m[label.Critical] + m[label.Warning])
	own[label.Critical], own[label.Warning] = m[label.Critical]*alarms, m[label.Warning]*alarms
	return own
}

// learnLevels counts what levels mean here. What is critical is too rare to be counted.
func (v *view) learnLevels(sums [evidences]Mix) {
	for c := range label.Category(label.Count) {
		if c == label.Critical {
			continue
		}
		var all, before float64
		for e := levelDebug; e <= levelFatal; e++ {
			all += sums[e][c]
			before += likelihood[e][c]
		}
		for e := levelDebug; e <= levelFatal; e++ {
			v.levels[e][c] = before * (sums[e][c] + levelStrength*likelihood[e][c]/before) / (all + levelStrength)
		}
	}
}
