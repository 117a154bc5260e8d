// Package screen is the live view of the status on a terminal.
package screen

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"wsync/client/live"
	"wsync/daemon/api"
)

// Options are what a terminal can show.
type Options struct {
	// Colour: colours and other styles. Unicode: more than ASCII.
	Colour, Unicode bool
}

// Run shows the status on the terminal, first the one that is known, until the user or ctx
// ends it, or the backend has nothing to follow any more.
func Run(ctx context.Context, backend live.Backend, first *api.Status, o Options) error {
	return run(ctx, backend, first, o)
}

// run is Run on the terminal that options name.
func run(ctx context.Context, backend live.Backend, first *api.Status, o Options, options ...tea.ProgramOption) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &shell{ctx: ctx, backend: backend, leave: make(map[string]context.CancelFunc)}
	model := NewModel(backend.Board, first, time.Now(), o)
	program := tea.NewProgram(view{model, s}, append(options, tea.WithContext(ctx), tea.WithoutSignalHandler())...)
	s.send = func(what any) { program.Send(what) }
	s.start(func() {
		s.failure = backend.Follow(ctx, func(u live.Update) { s.send(Updated{u}) })
		program.Quit()
	})
	s.start(s.tick)
	_, err := program.Run()
	cancel()
	s.running.Wait()
	if ctxEnded := errors.Is(err, tea.ErrProgramKilled) && !errors.Is(err, tea.ErrProgramPanic); err != nil && !ctxEnded {
		return err
	}
	return s.failure
}

// view is a Model as bubbletea has it.
type view struct {
	model Model
	shell *shell
}

// Init implements tea.Model.
func (v view) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (v view) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	var what any = message
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		what = Resized{message.Width, message.Height}
	case tea.KeyPressMsg:
		what = Key{message.String(), message.Text}
	case tea.PasteMsg:
		what = Key{"", message.Content}
	}
	model, effects := v.model.Update(what)
	v.model = model
	var commands []tea.Cmd
	for _, effect := range effects {
		switch effect := effect.(type) {
		case Quit:
			commands = append(commands, tea.Quit)
		case Suspend:
			commands = append(commands, tea.Suspend)
		default:
			v.shell.do(effect)
		}
	}
	return v, tea.Batch(commands...)
}

// View implements tea.Model.
func (v view) View() tea.View {
	shown := tea.NewView(strings.Join(v.model.View(), "\n"))
	shown.AltScreen = true
	return shown
}

// shell does what the model wants done, and tells it what comes of that.
type shell struct {
	ctx     context.Context
	backend live.Backend
	send    func(what any)
	running sync.WaitGroup
	failure error // of the following

	// Only bubbletea's goroutine has these: how to end what is under way, by page, and ""
	// for the events.
	leave map[string]context.CancelFunc
}

func (s *shell) start(f func()) { s.running.Go(f) }

// tick tells the time, so that what is shown of it is right.
func (s *shell) tick() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-ticker.C:
			s.send(Ticked{now})
		}
	}
}

// begin returns a context for what goes on until it is ended by its name.
func (s *shell) begin(name string) context.Context {
	s.end(name)
	ctx, cancel := context.WithCancel(s.ctx)
	s.leave[name] = cancel
	return ctx
}

func (s *shell) end(name string) {
	if cancel := s.leave[name]; cancel != nil {
		cancel()
		delete(s.leave, name)
	}
}

// settleTime is how long a row is selected before its events are asked for: keys that are
// held down pass many.
const settleTime = 150 * time.Millisecond

// do does what the model wants done.
func (s *shell) do(effect Effect) {
	switch effect := effect.(type) {
	case FollowEvents:
		ctx := s.begin("")
		s.start(func() { s.followEvents(ctx, effect.Of) })
	case Act:
		s.start(func() { s.act(effect) })
	case List:
		ctx := s.begin(effect.ID)
		s.start(func() { s.list(ctx, effect) })
	case Leave:
		s.end(effect.ID)
	}
}

func (s *shell) followEvents(ctx context.Context, of live.Key) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(settleTime):
	}
	lines, flush := s.gather(ctx, func(lines []string) { s.send(EventsTold{of, lines}) })
	err := s.backend.Events(ctx, of, lines)
	flush()
	if err != nil && ctx.Err() == nil {
		s.send(EventsEnded{of, err})
	}
}

// gatherTime is how long lines are gathered: each time some are sent, the screen is drawn.
const gatherTime = 50 * time.Millisecond

// gather returns what takes lines, which are told together after a moment, and how to tell
// those that are left, after which none may come any more.
func (s *shell) gather(ctx context.Context, tell func([]string)) (line func(string), flush func()) {
	var mu sync.Mutex
	var lines []string
	var due *time.Timer
	tellAll := func() {
		mu.Lock()
		defer mu.Unlock()
		if len(lines) > 0 && ctx.Err() == nil {
			tell(lines)
		}
		lines, due = nil, nil
	}
	line = func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if lines = append(lines, text); due == nil {
			due = time.AfterFunc(gatherTime, tellAll)
		}
	}
	return line, tellAll
}

func (s *shell) act(act Act) {
	said, err := s.backend.Act(s.ctx, act.Action, act.Of, act.Held)
	if err != nil {
		said = visible("cannot " + string(act.Action) + " " + act.Of.String() + ": " + err.Error())
	}
	s.send(Said{said})
}

func (s *shell) list(ctx context.Context, list List) {
	line, flush := s.gather(ctx, func(lines []string) { s.send(PageTold{list.ID, lines}) })
	out := live.Output{Line: line, Progress: func(text string) { s.send(PageProgressed{list.ID, text}) }}
	var err error
	switch list.Kind {
	case PageHeld:
		err = s.backend.Held(ctx, list.Of, out)
	case PageVerify:
		err = s.backend.Verify(ctx, list.Of, out)
	case PageExplain:
		err = s.backend.Explain(ctx, list.Of, list.Path, out)
	}
	flush()
	if ctx.Err() == nil {
		s.send(PageEnded{list.ID, err})
	}
}
