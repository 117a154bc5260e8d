// Package simulation runs what keeps remotes equal in a world that a seed makes: workers
// and the accounts that they keep, guards, rules, links and plans are the product's own;
// the workspace, its watcher, the remotes, the network, rsync, the daemon and its users are
// models, on one thread and with a clock of their own. One seed, one run, one trace.
//
// All of it is in tests. Simulate is the one to begin with: see CONTRIBUTING.md.
package simulation
