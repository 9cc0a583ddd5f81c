"""The import of time sessions from files of other products, and from exports of this one."""
