/** Mounts the studio and chooses the page. */
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { Notices } from "./panels/ui.tsx";
import { AdvicePage } from "./pages/advice.tsx";
import { ClassesPage } from "./pages/classes.tsx";
import { DashboardPage } from "./pages/dashboard.tsx";
import { DataPage } from "./pages/data.tsx";
import { ImagesPage } from "./pages/images.tsx";
import { LabelPage } from "./pages/label.tsx";
import { Enter, LoginPage } from "./pages/login.tsx";
import { MembersPage } from "./pages/members.tsx";
import { ProjectsPage } from "./pages/projects.tsx";
import { SettingsPage } from "./pages/settings.tsx";
import { Failed, Plain } from "./pages/shell.tsx";
import { match, path } from "./router.ts";
import { keepPage } from "./saving/copies.ts";
import { joinTabs } from "./saving/tabs.ts";
import { failure, openProject, project } from "./state/project.ts";
import { findSession, session } from "./state/session.ts";
import { followSettings } from "./state/settings.ts";
import { t } from "./texts.ts";
import "./styles/theme.css";
import "./styles/controls.css";
import "./styles/pages.css";
import "./styles/label.css";

const PAGES = {
  "/projects/:p": ImagesPage,
  "/projects/:p/images": ImagesPage,
  "/projects/:p/dashboard": DashboardPage,
  "/projects/:p/classes": ClassesPage,
  "/projects/:p/members": MembersPage,
  "/projects/:p/advice": AdvicePage,
  "/projects/:p/data": DataPage,
  "/projects/:p/settings": SettingsPage,
  "/projects/:p/images/:i": LabelPage,
};

function InProject({ id, page, image }: { readonly id: number; readonly page: keyof typeof PAGES; readonly image: number }) {
  useEffect(() => openProject(id), [id]);
  if (failure.value) return <Failed error={failure.value} />;
  if (project.value?.project_id !== id) return <Plain>{t.loading}</Plain>;
  const Page = PAGES[page];
  return <Page key={image} project={id} image={image} />;
}

function Studio() {
  const at = path.value;
  if (at === "/enter") return <Enter />;
  if (session.value === undefined) return <Plain>{t.loading}</Plain>;
  if (session.value === null) return <LoginPage />;
  if (at === "/" || at === "/login") return <ProjectsPage />;
  for (const page of Object.keys(PAGES) as (keyof typeof PAGES)[]) {
    const found = match(page, at);
    if (found) return <InProject id={found[0]} page={page} image={found[1] ?? 0} />;
  }
  return <Failed error={new Error(t.notFound)} />;
}

const link = new URLSearchParams(location.search).get("token");
if (link) {
  history.replaceState(null, "", `/enter#${link}`);
  path.value = location.pathname;
}
followSettings();
keepPage();
await joinTabs();
if (location.pathname !== "/enter") void findSession();
render(
  <>
    <Studio />
    <Notices />
  </>,
  document.getElementById("studio")!,
);
