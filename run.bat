@echo off
rem Sets the studio up and opens it on http://127.0.0.1:8050. Needs Python 3.11 to 3.13 from python.org.
cd /d "%~dp0"
py -3 tools\prepare.py || exit /b 1
.venv\Scripts\python.exe app.py --open %*
