"""Projects and time: projects, tasks, members, rates, timers, sessions and timesheets."""
