/** The caller's own name, password and preferences: language, zone and week, and what is mailed to them. */

import { patch, post, read } from "../lib/api.js";
import { patchOver } from "../lib/concurrency.js";
import { Form, nested } from "../lib/form.js";
import { words } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { may, reload, useMe } from "../lib/session.js";
import { nameBy, projectField } from "../lib/time_fields.js";
import { toast } from "../lib/toast.js";
import { Badge, Loaded, Page } from "../lib/ui.js";

const PATH = "/auth/me/preferences";
const choices = (values) => values.map((value) => ({ value, label: words(value) }));
const LANGUAGES = ["en", "en-GB", "en-US", "de-DE", "de-AT", "de-CH", "fr-FR", "es-ES", "it-IT", "nl-NL", "pl-PL", "pt-PT", "tr-TR"];

/** Languages by their own names, the stored one among them. */
function languages(current) {
  const values = LANGUAGES.includes(current) ? LANGUAGES : [current, ...LANGUAGES];
  return values.map((value) => ({ value, label: new Intl.DisplayNames([value], { type: "language" }).of(value) }));
}

function fieldsFor({ locale, timezone }, organization) {
  const zones = Intl.supportedValuesOf("timeZone");
  const known = !timezone || zones.includes(timezone) ? zones : [timezone, ...zones];
  const own = (value) => `As the organization: ${value}`;
  return [
    { name: "locale", label: "Dates and numbers in", type: "select", isAlwaysSet: true, isHalf: true, options: languages(locale) },
    { name: "theme", label: "Colours", type: "select", isAlwaysSet: true, isHalf: true, options: choices(["SYSTEM", "LIGHT", "DARK"]) },
    {
      name: "timezone",
      label: "Your time zone",
      type: "select",
      isHalf: true,
      placeholder: own(organization.timezone),
      options: known.map((value) => ({ value, label: value.replaceAll("_", " ") })),
    },
    {
      name: "weekStart",
      label: "Weeks begin on",
      type: "select",
      isHalf: true,
      placeholder: own(words(organization.weekStart)),
      options: choices(["MONDAY", "SATURDAY", "SUNDAY"]),
    },
    may("time:track") && projectField({ name: "defaultProjectId", label: "Project of new timers", hint: "Unless you choose another one" }),
    { name: "notifications.email", label: "Mail me about my timesheets and timer, and about weeks to approve", type: "checkbox" },
    { name: "notifications.weeklyReport", label: "Mail me last week's metrics every Monday", type: "checkbox" },
  ].filter(Boolean);
}

const NAMES = [
  { name: "firstName", label: "First name", isRequired: true, isHalf: true, maxLength: 100, autocomplete: "given-name" },
  { name: "lastName", label: "Last name", isRequired: true, isHalf: true, maxLength: 100, autocomplete: "family-name" },
];
const PASSWORDS = [
  { name: "currentPassword", label: "Current password", type: "password", isRequired: true, autocomplete: "current-password" },
  { name: "newPassword", label: "New password", type: "password", isRequired: true, autocomplete: "new-password", hint: "At least 8 characters. All your other sessions end." },
];

async function rename(values, key) {
  await patch("/auth/me", values, { key });
  await reload();
  toast("Your name is saved");
}

export default function Profile() {
  const me = useMe();
  const loaded = useResource(async () => {
    const { data, etag } = await read(PATH);
    return { preferences: data, etag, project: await nameBy("projects", data.defaultProjectId) };
  }, []);
  const { fullName } = me.profile;
  const subtitle = html`${fullName}, ${me.user.email} <${Badge} tone="accent">${words(me.role)}<//>`;
  return html`<${Page} title="Profile and preferences" subtitle=${subtitle}>
    <div class="stack">
      <section class="card card-form" aria-label="Name">
        <h2>Name</h2>
        <${Form} fields=${NAMES} initial=${me.user} isPatch submit=${rename} />
      </section>
      <section class="card card-form" aria-label="Preferences">
        <h2>Preferences</h2>
        <${Loaded} resource=${loaded}>
          ${({ preferences, etag, project }) => {
            const fields = fieldsFor(preferences, me.organization);
            const { notifications, defaultProjectId, ...rest } = preferences;
            const initial = {
              ...rest,
              defaultProjectId: defaultProjectId && { id: defaultProjectId, name: project },
              "notifications.email": notifications.email,
              "notifications.weeklyReport": notifications.weeklyReport,
            };
            const submit = async (values, key) => {
              if (!(await patchOver(PATH, nested(values), etag, { key, fields }))) return;
              await reload();
              await loaded.reload();
              toast("Your preferences are saved");
            };
            return html`<${Form} key=${etag} ...${{ fields, initial, submit }} isPatch />`;
          }}
        <//>
      </section>
      <${Password} />
    </div>
  <//>`;
}

function Password() {
  const [version, setVersion] = useState(0);
  async function submit(values, key) {
    try {
      await post("/auth/password", values, { key });
    } catch (error) {
      if (error.code === "INVALID_CREDENTIALS") error.details = { fieldErrors: { currentPassword: ["is not your password"] } };
      throw error;
    }
    toast("Your password is changed; your other sessions have ended");
    setVersion(version + 1);
  }
  return html`<section class="card card-form" aria-label="Password">
    <h2>Password</h2>
    <${Form} key=${version} fields=${PASSWORDS} submit=${submit} action="Change the password" />
  </section>`;
}
