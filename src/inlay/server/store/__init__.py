"""Every query: functions over a connection that return core types or rows of the wire."""
