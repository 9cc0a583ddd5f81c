/**
 * The pages of the console. To add one: a line here, and a module in `pages/` whose default export is its component.
 *
 * `path` may have parameters, which the component gets as properties, along with `query`. A page in the navigation has
 * an `icon` and a `group`; one with a `permission` is offered only to those who hold it. `isPublic` pages are for people
 * who are not signed in. The order is that of the navigation.
 */

import { match } from "./router.js";
import { may } from "./session.js";

export const GROUPS = ["Overview", "Staffing", "Time", "Loans", "Administration"];

export const PAGES = [
  { path: "/", alias: "/dashboard", title: "Dashboard", icon: "dashboard", group: "Overview", load: () => import("../pages/dashboard.js") },
  { path: "/activities", title: "Activities", icon: "bell", group: "Overview", load: () => import("../pages/activities.js") },
  { path: "/metrics", title: "Metrics", icon: "chart", group: "Overview", load: () => import("../pages/metrics.js") },
  { path: "/metrics/new", title: "New metric", permission: "metrics:write", load: () => import("../pages/metric.js") },
  { path: "/metrics/{id}", title: "Metric", permission: "metrics:write", load: () => import("../pages/metric.js") },
  { path: "/activities/new", title: "Record an activity", permission: "activities:record", load: () => import("../pages/activity_new.js") },

  { path: "/clients", title: "Clients", icon: "building", group: "Staffing", load: () => import("../pages/clients.js") },
  { path: "/work-locations", title: "Work locations", icon: "pin", group: "Staffing", load: () => import("../pages/work_locations.js") },
  { path: "/positions", title: "Positions", icon: "briefcase", group: "Staffing", load: () => import("../pages/positions.js") },
  { path: "/workers", title: "Workers", icon: "users", group: "Staffing", load: () => import("../pages/workers.js") },
  { path: "/workers/import", title: "Import workers", permission: "workers:write", load: () => import("../pages/workers_import.js") },
  { path: "/assignments", title: "Assignments", icon: "calendar", group: "Staffing", load: () => import("../pages/assignments.js") },
  { path: "/assignments/week", title: "Week", load: () => import("../pages/assignments_week.js") },
  { path: "/hours", title: "Hours report", icon: "chart", group: "Staffing", permission: "reports:read", load: () => import("../pages/hours.js") },

  { path: "/time", title: "Time", icon: "clock", group: "Time", permission: "time:track", load: () => import("../pages/time.js") },
  { path: "/time/import", title: "Import time", permission: "time:track", load: () => import("../pages/time_import.js") },
  { path: "/timesheets", title: "Timesheets", icon: "calendar", group: "Time", permission: "time:track", load: () => import("../pages/timesheets.js") },
  { path: "/timesheets/{userId}/{weekStart}", title: "Timesheet", permission: "time:track", load: () => import("../pages/timesheets.js") },
  { path: "/analytics", title: "Analytics", icon: "activity", group: "Time", permission: "time:track", load: () => import("../pages/analytics.js") },
  { path: "/projects", title: "Projects", icon: "folder", group: "Time", load: () => import("../pages/projects.js") },
  { path: "/projects/{id}", title: "Project", load: () => import("../pages/project.js") },

  { path: "/loans", title: "Loans", icon: "coins", group: "Loans", permission: "loans:manage", load: () => import("../pages/loans.js") },
  { path: "/loans/new", title: "Offer a loan", permission: "loans:manage", load: () => import("../pages/loan_offer.js") },
  { path: "/loans/{id}", title: "Loan", permission: "loans:manage", load: () => import("../pages/loan.js") },
  { path: "/loans/{id}/offer", title: "Change the offer", permission: "loans:manage", load: () => import("../pages/loan_offer.js") },

  { path: "/users", title: "Users", icon: "user", group: "Administration", permission: "users:manage", load: () => import("../pages/users.js") },
  { path: "/settings", title: "Organization", icon: "settings", group: "Administration", permission: "organization:update", load: () => import("../pages/settings.js") },
  { path: "/audit-log", title: "Audit log", icon: "shield", group: "Administration", permission: "audit:read", load: () => import("../pages/audit_log.js") },

  { path: "/confirm-email", title: "Confirm your address", load: () => import("../pages/confirm_email.js") },
  { path: "/profile", title: "Profile and preferences", load: () => import("../pages/profile.js") },
  { path: "/sessions", title: "Sessions", load: () => import("../pages/sessions.js") },

  { path: "/sign-in", title: "Sign in", isPublic: true, load: () => import("../pages/sign_in.js") },
  { path: "/sign-up", title: "Sign up", isPublic: true, load: () => import("../pages/sign_up.js") },
  { path: "/accept-invitation", title: "Accept invitation", isPublic: true, load: () => import("../pages/accept_invitation.js") },
  { path: "/reset-password", title: "Reset password", isPublic: true, load: () => import("../pages/reset_password.js") },
];

/** Return the page of a path with its parameters, or null. */
export function find(path) {
  for (const page of PAGES) {
    const parameters = page.alias === path ? {} : match(page.path, path);
    if (parameters) return { page, parameters };
  }
  return null;
}

/** Return the groups of the navigation with the pages that the caller may open. */
export function navigation() {
  return GROUPS.map((group) => ({
    group,
    pages: PAGES.filter((page) => page.group === group && (!page.permission || may(page.permission))),
  })).filter(({ pages }) => pages.length > 0);
}
