-- Headless Neovim (0.7 or newer) with its own client: opens a file, waits for diagnostics, hovers,
-- takes the first fix, and says what became of it as one line of JSON on standard output.
local python, file = os.getenv("BLASTDOOR_PYTHON"), os.getenv("BLASTDOOR_FILE")

local function finish(said)
  io.stdout:write(vim.fn.json_encode(said) .. "\n")
  vim.cmd("qall!")
end

local function waited(condition)
  if not vim.wait(30000, condition, 50) then
    finish({ error = "nothing came within 30 seconds" })
  end
end

vim.cmd("edit " .. vim.fn.fnameescape(file))
local id = vim.lsp.start_client({
  name = "blastdoor",
  cmd = { python, "-m", "blastdoor", "lsp" },
  root_dir = vim.fn.fnamemodify(file, ":h"),
  workspace_folders = {
    { uri = vim.uri_from_fname(vim.fn.fnamemodify(file, ":h")), name = "work" },
  },
})
waited(function() return vim.lsp.get_client_by_id(id) ~= nil end)
local client = vim.lsp.get_client_by_id(id)
vim.lsp.buf_attach_client(0, id)
waited(function() return #vim.diagnostic.get(0) > 0 end)
local first = vim.diagnostic.get(0)[1]

local function asked(method, params)
  local answer = client.request_sync(method, params, 30000, 0)
  return answer and answer.result
end

local name = { uri = vim.uri_from_bufnr(0) }
local place = { line = first.lnum, character = first.col }
local hover = asked("textDocument/hover", { textDocument = name, position = place })
local actions = asked("textDocument/codeAction", {
  textDocument = name,
  range = { start = place, ["end"] = place },
  context = { diagnostics = {}, only = { "quickfix" } },
})
local titles = {}
for _, action in ipairs(actions or {}) do
  table.insert(titles, action.title)
end
vim.lsp.util.apply_workspace_edit(actions[1].edit, client.offset_encoding or "utf-16")
waited(function() return #vim.diagnostic.get(0) == 0 end)
finish({
  code = first.code,
  line = first.lnum,
  hover = hover and hover.contents.value,
  titles = titles,
  text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n"),
})
