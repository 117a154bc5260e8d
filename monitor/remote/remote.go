// Package remote keeps one remote equal to the workspace: it knows what is
// dirty, under way and not yet confirmed there, what is held, and who waits.
//
// It is made of values: what happened goes in, with the time, and what is to be
// done comes out. There is no goroutine, lock, clock or input and output in it,
// so that all of it can be tested by tables, and by worlds that do not exist.
package remote
